package conformance_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/onfake"
)

// TestReport plays the suite on a cluster that can provoke next to nothing: what that leaves out is listed, and what is
// left passes and covers every operation.
func TestReport(t *testing.T) {
	var out bytes.Buffer
	h := onfake.Setup{Timing: onfake.Quick()}.Bubble()
	open := h.Open
	h.Open = func(t conformance.T, namespace string) *conformance.Cluster {
		t.Helper()
		full := open(t, namespace)
		return &conformance.Cluster{Connect: full.Connect, Cut: full.Cut}
	}
	h.Report = &out
	t.Run("suite", func(t *testing.T) { conformance.Run(t, h) })
	if t.Failed() {
		return
	}
	var report conformance.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if report.Backend != "fake" || report.Timing != onfake.Quick() {
		t.Errorf("the report is of %s with %+v", report.Backend, report.Timing)
	}
	for _, c := range report.Cases {
		if c.Outcome == conformance.Failed || (c.Outcome == conformance.NotRun) != (len(c.Needs) > 0) ||
			slices.Contains(c.Needs, "Cut") {
			t.Errorf("%+v", c)
		}
		if c.Why == "" {
			t.Errorf("%s %s has no reason", c.Rule, c.Name)
		}
	}
	if len(report.Gaps) == 0 || report.Gaps[0].Length < 0 || report.Gaps[0].Length > report.Timing.TTL {
		t.Errorf("the gaps are %v", report.Gaps)
	}
	for _, row := range report.Coverage {
		if row.Succeeded == 0 {
			t.Errorf("%s has not succeeded", row.Operation)
		}
	}
	if text := report.String(); !strings.Contains(text, "not run: R5") || !strings.Contains(text, "the smallest gap was") {
		t.Errorf("the text lacks something:\n%s", text)
	}
}

// TestEveryRuleHasCases compares the cases with the rules of the contract.
func TestEveryRuleHasCases(t *testing.T) {
	var out bytes.Buffer
	h := onfake.Setup{Timing: onfake.Quick()}.Bubble()
	h.Report = &out
	t.Run("suite", func(t *testing.T) { conformance.Run(t, h) })
	var report conformance.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(`R1 R2 R3 R4 R5 R6 R7 R8 R9 L1 L2 L3 L4 L5 L6 L7 W1 W2 W3 W4 W5 W6 E1 E2 E3 E4 E5 E6 E7 E8 E9
		V1 V2 V3`)
	var got []string
	names := make(map[string]bool)
	for _, rule := range report.Rules {
		if got = append(got, rule.Rule); rule.Passed == 0 {
			t.Errorf("no case of %s has passed", rule.Rule)
		}
	}
	for _, c := range report.Cases {
		if names[c.Rule+c.Name] {
			t.Errorf("two cases are called %s %s", c.Rule, c.Name)
		}
		names[c.Rule+c.Name] = true
	}
	if !slices.Equal(got, want) {
		t.Errorf("the rules are %v, want %v", got, want)
	}
}

// TestWrongAccounts sees that a harness cannot account for what is covered.
func TestWrongAccounts(t *testing.T) {
	h := onfake.Setup{Timing: onfake.Quick()}.Bubble()
	h.Uncovered = map[string]string{"Withdraw": "a reason that does not hold"}
	if verdict := onfake.Variant(t, h); !slices.Equal(verdict.Failed, []string{"coverage"}) {
		t.Errorf("what has failed is %q, want the coverage\n%s", verdict.Failed, verdict.Output)
	}
}
