package reception

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

const testTTL = 10 * time.Second

// opened is a session with a time to live of ten seconds, and so a margin of one.
func opened(settle time.Duration) *driver.OpenSessionResponse {
	return &driver.OpenSessionResponse{TTL: testTTL, RenewEvery: 3 * time.Second, Settle: settle}
}

// asked is an ask that takes a while and then answers what it is told to.
type asked struct {
	takes time.Duration
	err   atomic.Value // of type answer
	calls atomic.Int32
}

// asks returns an ask that answers at once.
func asks(err error) *asked {
	a := &asked{}
	a.err.Store(answer{err})
	return a
}

func (a *asked) ask(ctx context.Context) (time.Duration, error) {
	a.calls.Add(1)
	if err := pause(ctx, a.takes); err != nil {
		return 0, err
	}
	given, _ := a.err.Load().(answer)
	return testTTL, given.err
}

// never is longer than any test waits.
const never = 1000 * time.Hour

func TestHorizonCountsFromTheSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asked{takes: 2 * time.Second}
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), a.ask)
		sent := time.Now()
		if err := r.try(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := r.horizon().Sub(sent), 9*time.Second; got != want {
			t.Errorf("the horizon is %v after the sending, want %v: ttl less margin, not from the reply", got, want)
		}
	})
}

func TestHorizonNeverMovesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRenewal(time.Now(), opened(0), nil)
		before := r.horizon()
		r.confirm(time.Now().Add(-5*time.Second), testTTL) // an answer that was overtaken by a later one
		r.confirm(time.Now(), 2*time.Second)
		if r.horizon() != before {
			t.Errorf("the horizon moved from %v to %v", before, r.horizon())
		}
	})
}

func TestConfirmationCountsWhenItHasSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const settle = 2500 * time.Millisecond
		r := newTermRenewal(newRenewal(time.Now(), opened(settle), nil), nil)
		start := time.Now()
		for _, step := range []struct {
			sent    time.Duration
			horizon time.Duration // after the confirmation; 0 for none yet
		}{
			{0, 0},
			{time.Second, 0},
			{2 * time.Second, 0},
			{2500 * time.Millisecond, 9 * time.Second}, // the one of 0 s has settled
			{3400 * time.Millisecond, 9 * time.Second},
			{4500 * time.Millisecond, 11 * time.Second}, // that of 2 s, and with it that of 1 s
		} {
			time.Sleep(time.Until(start.Add(step.sent)))
			r.confirm(time.Now(), testTTL)
			var got time.Duration
			if !r.horizon().IsZero() {
				got = r.horizon().Sub(start)
			}
			if got != step.horizon {
				t.Errorf("after the confirmation of %v the horizon is %v, want %v", step.sent, got, step.horizon)
			}
		}
	})
}

func TestFinalRenewalTakesNoLateConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), nil)
		r.confirm(time.Now(), testTTL)
		time.Sleep(9 * time.Second) // to the horizon exactly
		if r.held() {
			t.Error("held at the horizon")
		}
		if r.confirm(time.Now(), testTTL) || r.held() {
			t.Error("a confirmation after the horizon made a lapsed term held again")
		}
	})
}

func TestFinalRenewalTakesNoLateConfirmationUnseen(t *testing.T) {
	// The same when nobody has asked for held in between.
	synctest.Test(t, func(t *testing.T) {
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), nil)
		r.confirm(time.Now(), testTTL)
		time.Sleep(9 * time.Second)
		if r.confirm(time.Now(), testTTL) || r.held() {
			t.Error("a confirmation after the horizon counted")
		}
	})
}

func TestRunNoticesTheHorizonWhileARequestHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asked{takes: never}
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), a.ask)
		r.confirm(time.Now(), testTTL)
		start := time.Now()
		if err := r.run(t.Context(), nil, nil); !errors.Is(err, errLapsed) {
			t.Fatalf("run returned %v, want errLapsed", err)
		}
		if got := time.Since(start); got != 9*time.Second {
			t.Errorf("run noticed after %v, want 9s", got)
		}
		if a.calls.Load() < 2 {
			t.Errorf("%d attempts before the horizon: one that hangs must leave room for another", a.calls.Load())
		}
	})
}

func TestRunTellsOfLapseAndRegainOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := asks(ErrUnavailable)
		r := newRenewal(time.Now(), opened(0), a.ask)
		var lapses, regains atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.run(ctx, func() { lapses.Add(1) }, func() { regains.Add(1) }) }()
		for outage := range int32(3) {
			a.err.Store(answer{ErrUnavailable})
			time.Sleep(5 * testTTL)
			synctest.Wait()
			if lapses.Load() != outage+1 || regains.Load() != outage {
				t.Fatalf("in outage %d: %d lapses and %d regains", outage, lapses.Load(), regains.Load())
			}
			a.err.Store(answer{nil})
			time.Sleep(testTTL)
			synctest.Wait()
			if lapses.Load() != outage+1 || regains.Load() != outage+1 {
				t.Fatalf("after outage %d: %d lapses and %d regains", outage, lapses.Load(), regains.Load())
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("run returned %v", err)
		}
	})
}

func TestRunEndsWhenTheSessionIsGone(t *testing.T) {
	for _, lost := range []error{ErrSessionExpired, ErrNotLeader, ErrClosed} {
		synctest.Test(t, func(t *testing.T) {
			a := asks(lost)
			r := newRenewal(time.Now(), opened(0), a.ask)
			start := time.Now()
			if err := r.run(t.Context(), nil, nil); !errors.Is(err, lost) {
				t.Errorf("run returned %v, want %v", err, lost)
			}
			if got := time.Since(start); got != 3*time.Second {
				t.Errorf("run ended after %v, want 3s, at the first renewal", got)
			}
		})
	}
}

func TestHurryAsksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := asks(ErrSessionExpired)
		r := newRenewal(time.Now(), opened(0), a.ask)
		r.hurry()
		r.hurry() // once more is not once too often
		start := time.Now()
		if err := r.run(t.Context(), nil, nil); !errors.Is(err, ErrSessionExpired) || time.Since(start) != 0 {
			t.Errorf("run returned %v after %v", err, time.Since(start))
		}
	})
}

func TestMarginOf(t *testing.T) {
	for goodFor, want := range map[time.Duration]time.Duration{
		15 * time.Second:       1500 * time.Millisecond,
		3 * time.Second:        300 * time.Millisecond,
		500 * time.Millisecond: 100 * time.Millisecond,
		90 * time.Millisecond:  30 * time.Millisecond,
	} {
		if got := marginOf(goodFor); got != want {
			t.Errorf("marginOf(%v) = %v, want %v", goodFor, got, want)
		}
	}
}
