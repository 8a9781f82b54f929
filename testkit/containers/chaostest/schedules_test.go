package chaostest

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/chaos"
)

// TestSchedules plays random schedules of faults on each backend, one backend after the other.
func TestSchedules(t *testing.T) {
	for _, g := range grounds {
		t.Run(g.name, func(t *testing.T) {
			results := &results{}
			t.Cleanup(func() { results.tell(t, g) })
			if *seed != 0 {
				site := g.begin(t)
				t.Run(fmt.Sprint("seed ", *seed), func(t *testing.T) { results.play(t, g, site, *seed) })
				return
			}
			width := min(*lanes, *schedules)
			for lane := range width {
				t.Run(fmt.Sprint("lane ", lane), func(t *testing.T) {
					t.Parallel()
					site := g.begin(t)
					for n := lane; n < *schedules; n += width {
						t.Run(fmt.Sprint("seed ", n+1), func(t *testing.T) { results.play(t, g, site, uint64(n)+1) })
					}
				})
			}
		})
	}
}

// patience is how long everything may take to be well again after the faults. It takes seconds, where nobody else keeps
// the machine busy.
const patience = 2 * time.Minute

// begin starts a site for a test.
func (g ground) begin(tb testing.TB) *site {
	tb.Helper()
	s := g.start(tb)
	s.timing = g.timing
	return s
}

// A result is what came of one schedule.
type result struct {
	seed   uint64
	took   time.Duration
	report *chaos.Report
}

// results are those of one backend.
type results struct {
	mu  sync.Mutex
	all []result
}

// play plays the schedule of a seed, and judges what was seen.
func (r *results) play(t *testing.T, g ground, s *site, seed uint64) {
	t.Helper()
	began := time.Now()
	log := reception.NewNilLogger()
	if alone() {
		log = &lines{tb: t}
	}
	plan := chaos.Plan{
		Seed: seed, Faults: 10, Length: 8 * g.timing.TTL, Settle: patience, Beat: g.timing.TTL / 200, Wiped: wiped(seed),
	}
	if plan.Wiped { // the servers take their time to start again
		plan.Length *= 2
	}
	h, err := chaos.Run(t.Context(), s.field(t).arena(g.name), plan, log)
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	report := h.Check()
	for _, finding := range report.Findings {
		t.Errorf("seed %d: %v", seed, finding)
	}
	if len(report.Findings) > 0 || alone() {
		path := filepath.Join(*keep, fmt.Sprintf("chaos-%s-%d.jsonl", g.name, seed))
		if err := h.Save(path); err != nil {
			t.Error(err)
		}
		t.Logf("its schedule:\n%s", chaos.Describe(h.Header.Schedule))
		t.Logf("check again what was seen: go run ./testkit/chaos/chaoscheck %s", path)
		t.Logf("play it again:             go test -C testkit/containers ./chaostest -run '^TestSchedules$/^%s$' -v -seed %d", g.name, seed)
	}
	r.mu.Lock()
	r.all = append(r.all, result{seed, time.Since(began), report})
	r.mu.Unlock()
}

// wiped says whether the data is lost in the run of a seed: in one of four, of which the third is one of the few in CI.
func wiped(seed uint64) bool { return seed%4 == 3 }

// tell says what came of all.
func (r *results) tell(t *testing.T, g ground) {
	t.Helper()
	var sum chaos.Summary
	for _, result := range r.all {
		sum.Add(result.seed, result.report)
	}
	t.Logf("%s: %v", g.name, &sum)
	if *report != "" {
		r.write(t, g, &sum)
	}
}

// alone says whether one schedule is played by itself, to be looked at.
func alone() bool { return *seed != 0 }
