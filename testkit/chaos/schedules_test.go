package chaos_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/chaos"
)

var (
	schedules = flag.Int("schedules", schedulesByDefault, "how many random schedules to play on the fake")
	seed      = flag.Uint64("seed", 0, "play only the schedule of this seed, and print it")
	keep      = flag.String("keep", os.TempDir(), "the folder for histories of runs that have failed")
)

// TestSchedules plays random schedules of faults on the fake.
func TestSchedules(t *testing.T) {
	if *seed != 0 {
		judge(t, play(t, nil, planOf(*seed), true))
		return
	}
	total := *schedules
	if testing.Short() {
		total /= 25
	}
	var next atomic.Int64
	var mu sync.Mutex
	var sum chaos.Summary
	for lane := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint("lane ", lane), func(t *testing.T) {
			t.Parallel()
			for n := next.Add(1); n <= int64(total) && !t.Failed(); n = next.Add(1) {
				report := judge(t, play(t, nil, planOf(uint64(n)), false))
				mu.Lock()
				sum.Add(uint64(n), report)
				mu.Unlock()
			}
		})
	}
	t.Cleanup(func() { t.Logf("seeds 1 to %d: %v", total, &sum) })
}

// planOf is what is played with a seed: leaders are eager, for histories of hundreds of operations, and in one run of five
// the data is lost.
func planOf(seed uint64) chaos.Plan {
	return chaos.Plan{Seed: seed, Beat: timing.TTL / 25, Wiped: seed%5 == 0}
}

// play plays one schedule in a bubble.
func play(t *testing.T, wrap wrapper, plan chaos.Plan, loud bool) (h *chaos.History) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log := reception.NewNilLogger()
		if loud {
			log = printer{t}
		}
		var options []fake.ClusterOption
		if plan.Seed%3 == 0 { // as ZooKeeper's servers do
			options = append(options, fake.WithSettle(timing.TTL/4))
		}
		var err error
		if h, err = chaos.Run(t.Context(), onFake(wrap, options...), plan, log); err != nil {
			t.Error(err)
		}
	})
	return h
}

// judge checks a history. One that fails is kept, and what to do with it is said.
func judge(t *testing.T, h *chaos.History) *chaos.Report {
	t.Helper()
	report := h.Check()
	if len(report.Findings) == 0 && *seed == 0 {
		return report
	}
	plan := h.Header.Plan
	for _, finding := range report.Findings {
		t.Errorf("seed %d: %v", plan.Seed, finding)
	}
	path := filepath.Join(*keep, fmt.Sprintf("chaos-%s-%d.jsonl", h.Header.Backend, plan.Seed))
	if err := h.Save(path); err != nil {
		t.Error(err)
	}
	t.Logf("its schedule:\n%s", chaos.Describe(h.Header.Schedule))
	t.Logf("check again what was seen: go run ./testkit/chaos/chaoscheck %s", path)
	t.Logf("play it again:             go test ./testkit/chaos -run '^TestSchedules$' -v -seed %d", plan.Seed)
	return report
}

// printer shows what clients say, with the time in the bubble.
type printer struct{ t *testing.T }

// Printf implements [reception.Logger].
func (p printer) Printf(format string, args ...any) { p.t.Logf(format, args...) }
