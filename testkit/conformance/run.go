package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
)

// Run plays the suite on the harness's backend, as subtests of t that run in parallel. The report is logged at the end.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if err := h.check(); err != nil {
		t.Fatalf("conformance: %v", err)
	}
	r := &run{harness: h, id: fmt.Sprintf("%06x", rand.N(1<<24))}
	t.Cleanup(func() { r.report(t) })
	t.Run("cases", func(t *testing.T) {
		all := cases()
		for len(all) > 0 {
			rule := all[0].rule
			end := slices.IndexFunc(all, func(c testCase) bool { return c.rule != rule })
			if end < 0 {
				end = len(all)
			}
			group := all[:end]
			all = all[end:]
			t.Run(rule, func(t *testing.T) {
				t.Parallel()
				for _, c := range group {
					t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
						t.Parallel()
						r.play(t, c)
					})
				}
			})
		}
	})
	t.Run("coverage", r.cover)
}

// check finds what a harness lacks.
func (h *Harness) check() error {
	switch {
	case h.Name == "":
		return fmt.Errorf("the harness has no Name")
	case h.Open == nil:
		return fmt.Errorf("harness %s has no Open", h.Name)
	case h.Timing.TTL <= 0 || h.Timing.Backoff <= 0:
		return fmt.Errorf("harness %s: Timing.TTL and Timing.Backoff must be positive", h.Name)
	}
	return nil
}

// A run is one use of the suite.
type run struct {
	harness  Harness
	id       string // makes names unique on servers that outlive the run
	coverage Coverage

	mu       sync.Mutex
	played   int
	outcomes []CaseReport
	gaps     []Gap
}

// play plays one case.
func (r *run) play(t *testing.T, c testCase) {
	t.Helper()
	var missing []string
	defer func() { r.note(t, c, missing) }()
	around := r.harness.Around
	if around == nil {
		around = func(t *testing.T, body func(T)) { t.Helper(); body(t) }
	}
	around(t, func(t T) {
		s := r.scene(t)
		if missing = c.missing(s.cluster); len(missing) == 0 {
			c.play(s)
		}
	})
	if len(missing) > 0 {
		t.Skipf("%s cannot provoke what this case needs: %s", r.harness.Name, strings.Join(missing, ", "))
	}
}

// note records what became of a case.
func (r *run) note(t *testing.T, c testCase, missing []string) {
	t.Helper()
	report := CaseReport{Rule: c.rule, Name: c.name, Why: c.why, Outcome: Passed, Needs: missing}
	switch {
	case t.Failed():
		report.Outcome = Failed
	case len(missing) > 0:
		report.Outcome = NotRun
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes = append(r.outcomes, report)
}

// gap records how long after a term's end the next one began, where the servers had to find out by themselves.
func (r *run) gap(where string, d time.Duration) {
	_, where, _ = strings.Cut(where, "/cases/")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gaps = append(r.gaps, Gap{Case: where, Length: d})
}

// scene prepares what a case plays on.
func (r *run) scene(t T) *scene {
	t.Helper()
	r.mu.Lock()
	r.played++
	namespace := fmt.Sprintf("%s-%d", r.id, r.played)
	r.mu.Unlock()
	s := &scene{T: t, run: r, Timing: r.harness.Timing, namespace: namespace}
	s.watchClock()
	s.cluster = r.harness.Open(t, namespace)
	if s.cluster == nil || s.cluster.Connect == nil {
		t.Fatalf("conformance: harness %s opened a cluster without Connect", r.harness.Name)
	}
	return s
}

// cover fails for what the recorded calls have not shown and the harness does not account for, and for accounts of what
// they have shown.
func (r *run) cover(t *testing.T) {
	missing := r.coverage.Missing()
	for _, what := range missing {
		if r.harness.Uncovered[what] == "" {
			t.Errorf("%s: no call has shown it", what)
		}
	}
	for what := range r.harness.Uncovered {
		if !slices.Contains(missing, what) {
			t.Errorf("%s: the harness calls it uncovered, and it is not", what)
		}
	}
}

// options are those of every client of the suite.
func (r *run) options(log reception.Logger) []reception.Option {
	backoff := r.harness.Timing.Backoff
	return []reception.Option{reception.WithBackoff(max(backoff/8, 1), backoff), reception.WithLogger(log)}
}
