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

// TestWrongAccounts sees that a harness cannot account for what is covered.
func TestWrongAccounts(t *testing.T) {
	h := onfake.Setup{Timing: onfake.Quick()}.Bubble()
	h.Uncovered = map[string]string{"Withdraw": "a reason that does not hold"}
	if verdict := onfake.Variant(t, h); !slices.Equal(verdict.Failed, []string{"coverage"}) {
		t.Errorf("what has failed is %q, want the coverage\n%s", verdict.Failed, verdict.Output)
	}
}
