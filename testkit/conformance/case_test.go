package conformance

import (
	"slices"
	"strings"
	"testing"
)

// TestCases sees that every rule of the contract has cases, that those of a rule are together, and that each can be told
// from the others and has a reason.
func TestCases(t *testing.T) {
	var rules []string
	names := make(map[string]bool)
	for _, c := range cases() {
		if len(rules) == 0 || rules[len(rules)-1] != c.rule {
			rules = append(rules, c.rule)
		}
		if c.why == "" || c.play == nil {
			t.Errorf("%s %s lacks a reason or a play", c.rule, c.name)
		}
		if names[c.rule+c.name] || strings.Contains(c.name, "/") {
			t.Errorf("%s %s cannot be told from another case, or not be asked for", c.rule, c.name)
		}
		names[c.rule+c.name] = true
	}
	want := strings.Fields(`
		R1 R2 R3 R4 R5 R6 R7 R8 R9 L1 L2 L3 L4 L5 L6 L7 W1 W2 W3 W4 W5 W6 E1 E2 E3 E4 E5 E6 E7 E8 E9 V1 V2 V3`)
	if !slices.Equal(rules, want) {
		t.Errorf("the cases are of the rules\n%v, want\n%v", rules, want)
	}
}
