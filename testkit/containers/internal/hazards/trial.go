package hazards

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
)

// A race is a trial that has begun: one leads, and another one waits.
type race struct {
	old    reception.Term
	ended  <-chan time.Time // when old has ended, which is after Held has turned false
	won    <-chan win
	cancel context.CancelFunc
}

// A win is what came of a campaign.
type win struct {
	term reception.Term
	at   time.Time
	err  error
}

// startRace has a holder lead, and a successor wait for as long as a busy machine takes.
func (b Backend) startRace(ctx context.Context, holder, successor reception.Client, election string) (*race, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	old, err := holder.Campaign(ctx, election, Service("old", "1"))
	if err != nil {
		cancel()
		return nil, fmt.Errorf("nobody leads %s: %w", election, err)
	}
	ended, won := make(chan time.Time, 1), make(chan win, 1)
	context.AfterFunc(old.Context(), func() { ended <- time.Now() })
	go func() {
		term, err := successor.Campaign(ctx, election, Service("new", "1"))
		won <- win{term, time.Now(), err}
	}()
	return &race{old: old, ended: ended, won: won, cancel: cancel}, nil
}

// phase waits until renewals are anywhere in their rhythm, the first ones being over.
func (b Backend) phase() { time.Sleep(b.TermTTL/2 + rand.N(b.TermTTL/2)) }

// A succession is what became of a trial, by the one clock that both candidates have here.
type succession struct {
	gap      time.Duration // between the old leader's end and the new one's beginning; negative: two leaders
	failover time.Duration // between the fault and the new one's beginning
	void     bool          // the term ended before the fault: a machine that is too busy has lost it
}

// finish waits for the succession after a fault that struck at a moment.
func (r *race) finish(ctx context.Context, struck time.Time) (succession, error) {
	defer r.cancel()
	next := <-r.won
	if next.err != nil {
		return succession{}, fmt.Errorf("nobody succeeds: %w", next.err)
	}
	var end time.Time
	select {
	case end = <-r.ended:
	case <-time.After(time.Minute):
		return succession{}, errors.New("two leaders: the old one's term does not end")
	}
	switch {
	case r.old.Held():
		return succession{}, errors.New("the old leader's term is held again")
	case next.term.Token() <= r.old.Token():
		return succession{}, fmt.Errorf("token %d follows %d", next.term.Token(), r.old.Token())
	}
	o := succession{gap: next.at.Sub(end), failover: next.at.Sub(struck), void: end.Before(struck)}
	return o, next.term.Resign(ctx)
}

// outcomes are what came of trials.
type outcomes struct {
	mu    sync.Mutex
	all   []succession
	voids int
}

// add notes an outcome, and says whether it counts.
func (o *outcomes) add(s succession) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, s)
	if s.void {
		o.voids++
	}
	return !s.void
}

// lacking is how many trials are still to be made; the second result is false when too many have shown nothing.
func (o *outcomes) lacking(want int) (int, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return max(want-len(o.all)+o.voids, 0), o.voids <= want/2
}

// judge prints what came of the trials, and fails if there ever were two leaders, in those that showed nothing too.
func (o *outcomes) judge(tb testing.TB) {
	tb.Helper()
	slices.SortFunc(o.all, func(a, b succession) int { return int(a.gap - b.gap) })
	overlaps := 0
	var gaps, failovers []time.Duration
	for _, s := range o.all {
		if s.gap <= 0 {
			overlaps++
		}
		if !s.void {
			gaps, failovers = append(gaps, s.gap), append(failovers, s.failover)
		}
	}
	slices.Sort(failovers)
	n := len(gaps)
	tb.Logf("%d trials: a successor in each, %d overlaps; gap: smallest %v, median %v; fail-over: median %v, longest %v; "+
		"%d terms had ended before the fault", n, overlaps, gaps[0], gaps[n/2], failovers[n/2], failovers[n-1], o.voids)
	if overlaps > 0 {
		tb.Errorf("two leaders in %d of %d trials, for %v", overlaps, len(o.all), -o.all[0].gap)
	}
}
