package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// A Report says what a run of the suite has found.
type Report struct {
	Backend string       `json:"backend"`
	Timing  Timing       `json:"timing"`
	Rules   []RuleReport `json:"rules"`
	Cases   []CaseReport `json:"cases"`
	// Coverage is what the recorded calls have shown of each operation.
	Coverage []Row `json:"coverage"`
	// Gaps are those of the cases in which a leader was succeeded because it was not heard of, smallest first.
	Gaps []Gap `json:"gaps"`
}

// A Gap is the time between the moment at which a leader stopped believing in its term and the beginning of the next.
type Gap struct {
	Case   string        `json:"case"`
	Length time.Duration `json:"length"` // in nanoseconds
}

// A RuleReport sums up the cases of a rule.
type RuleReport struct {
	Rule   string `json:"rule"`
	Passed int    `json:"passed"`
	Failed int    `json:"failed"`
	NotRun int    `json:"notRun"`
}

// A CaseReport says what became of a case.
type CaseReport struct {
	Rule    string   `json:"rule"`
	Name    string   `json:"name"`
	Why     string   `json:"why"`
	Outcome Outcome  `json:"outcome"`
	Needs   []string `json:"needs,omitempty"` // what the harness could not provoke
}

// An Outcome is what became of a case.
type Outcome string

// The outcomes.
const (
	Passed Outcome = "passed"
	Failed Outcome = "failed"
	NotRun Outcome = "not run"
)

// report logs and writes the report.
func (r *run) report(t *testing.T) {
	t.Helper()
	report := r.summary()
	t.Logf("conformance of %s\n%s", report.Backend, report)
	if r.harness.Report == nil {
		return
	}
	out, err := json.MarshalIndent(report, "", "  ")
	if err == nil {
		_, err = r.harness.Report.Write(append(out, '\n'))
	}
	if err != nil {
		t.Errorf("conformance: the report cannot be written: %v", err)
	}
}

// summary makes the report of what has happened so far.
func (r *run) summary() *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := &Report{
		Backend: r.harness.Name, Timing: r.harness.Timing, Coverage: r.coverage.Rows(), Gaps: slices.Clone(r.gaps),
	}
	slices.SortFunc(report.Gaps, func(a, b Gap) int { return cmp.Compare(a.Length, b.Length) })
	for _, c := range cases() { // in order, without those that were filtered out
		for _, outcome := range r.outcomes {
			if outcome.Rule == c.rule && outcome.Name == c.name {
				report.add(outcome)
			}
		}
	}
	return report
}

// add adds a case to the report.
func (r *Report) add(c CaseReport) {
	r.Cases = append(r.Cases, c)
	if last := len(r.Rules) - 1; last < 0 || r.Rules[last].Rule != c.Rule {
		r.Rules = append(r.Rules, RuleReport{Rule: c.Rule})
	}
	rule := &r.Rules[len(r.Rules)-1]
	switch c.Outcome {
	case Passed:
		rule.Passed++
	case Failed:
		rule.Failed++
	case NotRun:
		rule.NotRun++
	}
}

// String returns the report as tables.
func (r *Report) String() string {
	var out strings.Builder
	table := func(rows func(*tabwriter.Writer)) {
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		rows(w)
		_ = w.Flush() // a strings.Builder takes everything
		out.WriteByte('\n')
	}
	table(r.writeTiming)
	table(r.writeRules)
	table(r.writeCoverage)
	if len(r.Gaps) > 0 {
		fmt.Fprintf(&out, "%d leaders were succeeded because they were not heard of; the smallest gap was %v: %s\n", len(r.Gaps),
			r.Gaps[0].Length, r.Gaps[0].Case)
	}
	for _, c := range r.Cases {
		switch c.Outcome {
		case Failed:
			fmt.Fprintf(&out, "failed: %s %s: %s\n", c.Rule, c.Name, c.Why)
		case NotRun:
			fmt.Fprintf(&out, "not run: %s %s: needs %s\n", c.Rule, c.Name, strings.Join(c.Needs, ", "))
		}
	}
	return out.String()
}

func (r *Report) writeTiming(w *tabwriter.Writer) {
	t := r.Timing
	fmt.Fprintln(w, "ttl\tlate\tpropagation\tbackoff\tmargin\tgrace")
	fmt.Fprintf(w, "%v\t%v\t%v\t%v\t%v\t%v\n", t.TTL, t.Late, t.Propagation, t.Backoff, t.Margin, t.Grace)
}

func (r *Report) writeRules(w *tabwriter.Writer) {
	fmt.Fprintln(w, "rule\tcases\tpassed\tfailed\tnot run")
	for _, rule := range r.Rules {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", rule.Rule, rule.Passed+rule.Failed+rule.NotRun, rule.Passed,
			rule.Failed, rule.NotRun)
	}
}

func (r *Report) writeCoverage(w *tabwriter.Writer) {
	fmt.Fprintln(w, "operation\tsucceeded\tdeclared errors")
	for _, row := range r.Coverage {
		fmt.Fprintf(w, "%s\t%d\t", row.Operation, row.Succeeded)
		for i, message := range slices.Sorted(maps.Keys(row.Failed)) {
			if i > 0 {
				fmt.Fprint(w, ", ")
			}
			fmt.Fprintf(w, "%s: %d", message, row.Failed[message])
		}
		fmt.Fprintln(w)
	}
}
