package clitest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A stint is when the job of one term was at work, as it has written itself.
type stint struct {
	token       uint64
	first, last time.Time
}

// stints reads what jobs have written, in the order of their tokens.
func stints(tb testing.TB, path string) []stint {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		tb.Fatal(err)
	}
	byToken := map[uint64]stint{}
	for line := range strings.Lines(string(text)) {
		var token uint64
		var nanos int64
		if n, _ := fmt.Sscan(line, &token, &nanos); n != 2 {
			continue // it was killed while it wrote
		}
		at := time.Unix(0, nanos)
		s, known := byToken[token]
		if !known || at.Before(s.first) {
			s.first = at
		}
		if !known || at.After(s.last) {
			s.last = at
		}
		s.token = token
		byToken[token] = s
	}
	var all []stint
	for _, s := range byToken {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b stint) int { return int(a.token) - int(b.token) })
	return all
}

// TestJobsNeverOverlap has two processes elect for the same job, and makes the leader's link swallow everything: its job,
// which heeds no SIGTERM, is killed before the other's begins, in every trial.
func TestJobsNeverOverlap(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		const trials = 5
		var all []*trial
		for i := range trials {
			o := newTrial(t, p, p.named("job"+strconv.Itoa(i)))
			o.begin("--grace", "500ms")
			all = append(all, o)
		}
		for _, o := range all {
			time.Sleep(rand.N(300 * time.Millisecond)) // the phase of the renewal at which the fault strikes
			o.fault(func() { o.link.Blackhole(t) })
		}
		var gaps []time.Duration
		for _, o := range all {
			gaps = append(gaps, o.end())
			o.old.says("is lost")
			o.next.signal(syscall.SIGKILL)
		}
		slices.Sort(gaps)
		t.Logf("%d trials; between the last sign of the old job and the first of the new one: smallest %v, median %v",
			trials, gaps[0], gaps[trials/2])
		if gaps[0] <= 0 {
			t.Errorf("two jobs at once: %v", gaps)
		}
	})
}

// TestJobOfAKilledElect kills elect itself: nothing of its job goes on, and the next one begins when the session is over.
func TestJobOfAKilledElect(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		o := newTrial(t, p, p.named("job"))
		o.begin()
		killed := time.Now()
		o.fault(func() { o.old.signal(syscall.SIGKILL) })
		gap := o.end()
		last := stints(t, o.path)[0].last
		t.Logf("the job's last sign was %v after the kill, and %v before the next one's first", last.Sub(killed), gap)
		if gap <= 0 {
			t.Errorf("two jobs at once, for %v", -gap)
		}
	})
}

// TestElectCampaignsAgain gives the old leader its link back, and ends the next one.
func TestElectCampaignsAgain(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		o := newTrial(t, p, p.named("job"))
		o.begin("--grace", "100ms")
		var heal func()
		o.fault(func() { heal = o.link.Cut(t) })
		o.end()
		o.old.says("is lost")
		heal()
		o.next.signal(syscall.SIGKILL)
		next := len(stints(t, o.path))
		eventually(t, "the old leader leads again", func() bool { return len(stints(t, o.path)) > next })
	})
}

// TestElectOnce does not campaign again.
func TestElectOnce(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		o := newTrial(t, p, p.named("job"))
		o.begin("--grace", "100ms", "--once")
		o.link.Cut(t)
		o.old.ends(5)
	})
}

// TestGraceThatIsTooLong is refused at once, by a candidate that would have to wait.
func TestGraceThatIsTooLong(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		o := newTrial(t, p, p.named("job"))
		o.begin()
		said := o.elect(p.direct(), "--grace", "30s").ends(2).stderr()
		if !strings.Contains(said, "grace too long for a term") {
			t.Errorf("it says %q", said)
		}
	})
}
