package reception

import (
	"context"
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
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), 0, a.ask)
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
		r := newTermRenewal(newRenewal(time.Now(), opened(settle), nil), 0, nil)
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

func TestConfirmationSettlesAfterItsAnswer(t *testing.T) {
	// A request that was held up on its way may have arrived with the next one. So what shows that it has been passed on is
	// one that was sent settle after its answer, whatever the time between their sendings.
	synctest.Test(t, func(t *testing.T) {
		const settle = 2500 * time.Millisecond
		r := newTermRenewal(newRenewal(time.Now(), opened(settle), nil), 0, nil)
		first := time.Now()
		time.Sleep(2 * time.Second)
		r.confirm(first, testTTL)
		time.Sleep(time.Second)
		r.confirm(time.Now(), testTTL)
		if !r.horizon().IsZero() {
			t.Error("a confirmation counts that may not have been passed on")
		}
		if got := r.wait(); got != settle-time.Second {
			t.Errorf("the next question comes in %v, want %v", got, settle-time.Second)
		}
		time.Sleep(settle - time.Second)
		r.confirm(time.Now(), testTTL)
		if got := r.horizon().Sub(first); got != 9*time.Second {
			t.Errorf("the horizon is %v after the sending, want 9s", got)
		}
	})
}

func TestFinalRenewalTakesNoLateConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), 0, nil)
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
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), 0, nil)
		r.confirm(time.Now(), testTTL)
		time.Sleep(9 * time.Second)
		if r.confirm(time.Now(), testTTL) || r.held() {
			t.Error("a confirmation after the horizon counted")
		}
	})
}

func TestRhythmIsSane(t *testing.T) {
	const instead = testTTL / 3
	for every, want := range map[time.Duration]time.Duration{
		0:               instead,
		-time.Second:    instead,
		testTTL:         instead,
		2 * testTTL:     instead,
		testTTL/2 + 1:   instead,
		testTTL / 2:     testTTL / 2,
		time.Second:     time.Second,
		time.Nanosecond: time.Nanosecond,
	} {
		r := newRenewal(time.Now(), &driver.OpenSessionResponse{TTL: testTTL, RenewEvery: every}, nil)
		if r.every != want {
			t.Errorf("a backend that wants to be asked every %v is asked every %v, want %v", every, r.every, want)
		}
	}
}

func TestConfirmationsThickAndFast(t *testing.T) {
	// They come much faster than they settle: they are bounded, and the horizon keeps ahead of the clock.
	const step = 10 * time.Millisecond
	for _, settle := range []time.Duration{100 * time.Millisecond, 2 * time.Second, 7 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := newTermRenewal(newRenewal(time.Now(), opened(settle), nil), 0, nil)
			start := time.Now()
			for range 6000 {
				if !r.confirm(time.Now(), testTTL) {
					t.Fatalf("settle %v: lapsed after %v without a fault", settle, time.Since(start))
				}
				if n := len(r.unsettled); n > 10 {
					t.Fatalf("settle %v: %d confirmations are kept", settle, n)
				}
				if ahead, want := time.Until(r.horizon()), 9*time.Second-settle-settle/8-step; time.Since(start) > settle && ahead < want {
					t.Fatalf("settle %v: the horizon is %v ahead, want %v", settle, ahead, want)
				}
				time.Sleep(step)
			}
		})
	}
}

func TestWaitForWhatSettles(t *testing.T) {
	// While the horizon is near, the next question comes as soon as it can settle a confirmation; later, in the rhythm.
	synctest.Test(t, func(t *testing.T) {
		r := newTermRenewal(newRenewal(time.Now(), opened(time.Second), nil), 0, nil)
		for _, want := range []time.Duration{time.Second, 3 * time.Second} {
			r.confirm(time.Now(), testTTL)
			if got := r.wait(); got != want {
				t.Errorf("the next question comes in %v, want %v", got, want)
			}
			time.Sleep(time.Second)
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
