package reception

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunNoticesTheHorizonWhileARequestHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asked{takes: never}
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), 0, a.ask)
		r.confirm(time.Now(), testTTL)
		start := time.Now()
		if err := r.run(t.Context(), events{}); !errors.Is(err, errLapsed) {
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
		go func() {
			done <- r.run(ctx, events{lapsed: func(error) { lapses.Add(1) }, regained: func() { regains.Add(1) }})
		}()
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
			if err := r.run(t.Context(), events{}); !errors.Is(err, lost) {
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
		if err := r.run(t.Context(), events{}); !errors.Is(err, ErrSessionExpired) || time.Since(start) != 0 {
			t.Errorf("run returned %v after %v", err, time.Since(start))
		}
	})
}

func TestHurryWhileAQuestionIsOut(t *testing.T) {
	// The question was sent before what there is to hurry for, and its answer may be from before that: another one follows.
	synctest.Test(t, func(t *testing.T) {
		questions := 0
		r := newRenewal(time.Now(), opened(0), func(context.Context) (time.Duration, error) {
			questions++
			if questions > 1 {
				return 0, ErrSessionExpired
			}
			time.Sleep(2 * time.Second)
			return testTTL, nil
		})
		start := time.Now()
		time.AfterFunc(4*time.Second, r.hurry) // between the first question and its answer
		if err := r.run(t.Context(), events{}); !errors.Is(err, ErrSessionExpired) {
			t.Errorf("run returned %v", err)
		}
		if got, want := time.Since(start), 5*time.Second; got != want || questions != 2 {
			t.Errorf("run ended after %v and %d questions, want %v and 2", got, questions, want)
		}
	})
}

func TestLapseTellsTheLastFailure(t *testing.T) {
	for _, failure := range []error{nil, ErrUnavailable, ErrPermission} {
		synctest.Test(t, func(t *testing.T) {
			a := asks(failure)
			if failure == nil {
				a.takes = never
			}
			r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), 0, a.ask)
			r.confirm(time.Now(), testTTL)
			if err := r.run(t.Context(), events{}); !errors.Is(err, errLapsed) || failure != nil && !errors.Is(err, failure) {
				t.Errorf("run returned %v, want errLapsed with %v", err, failure)
			}
		})
	}
}

func TestOutageEndsWithWhatWasConfirmedAfterIt(t *testing.T) {
	// A confirmation from before the outage settles after it: its horizon is near, and it is not what ends the outage.
	synctest.Test(t, func(t *testing.T) {
		a := asks(nil)
		r := newRenewal(time.Now(), opened(4*time.Second), a.ask)
		start := time.Now()
		var lapses, regains []time.Duration
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- r.run(ctx, events{
				lapsed:   func(error) { lapses = append(lapses, time.Since(start)) },
				regained: func() { regains = append(regains, time.Since(start)) },
			})
		}()
		time.Sleep(4 * time.Second) // one was confirmed at 3 s
		a.err.Store(answer{ErrUnavailable})
		time.Sleep(6 * time.Second) // the horizon has passed at 9 s
		a.err.Store(answer{nil})
		r.hurry() // and that of 3 s settles
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("run returned %v", err)
		}
		if len(lapses) != 1 || lapses[0] != 9*time.Second {
			t.Errorf("lapses at %v, want one at 9s", lapses)
		}
		if len(regains) != 1 || regains[0] != 14*time.Second {
			t.Errorf("regained at %v, want 14s, when the confirmation of 10s has settled", regains)
		}
	})
}

func TestNoticeLooksAtTheHorizonItself(t *testing.T) {
	// The timer has fired when a confirmation is recorded whose answer run has not heard of yet.
	synctest.Test(t, func(t *testing.T) {
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), 4*time.Second, nil)
		r.confirm(time.Now(), testTTL)
		notices := 0
		w := &watchman{renewal: r, on: events{near: func() { notices++ }}}
		time.Sleep(5 * time.Second) // 9 s less 4 s
		r.confirm(time.Now(), testTTL)
		w.noticed()
		if notices != 0 {
			t.Error("notice was given of a horizon that has moved on")
		}
		time.Sleep(5 * time.Second)
		w.noticed()
		w.noticed()
		if notices != 1 {
			t.Errorf("%d notices of a horizon that is near, want one", notices)
		}
	})
}

func TestRunAsksMoreOftenWhereAnswersAreGoodForLess(t *testing.T) {
	// A term may stand on less than the session's time to live: an answer that is good for a fifth of it is asked for five
	// times as often, and the term lasts.
	synctest.Test(t, func(t *testing.T) {
		const goodFor = testTTL / 5
		var asked atomic.Int32
		r := newTermRenewal(newRenewal(time.Now(), opened(0), nil), 0, func(context.Context) (time.Duration, error) {
			asked.Add(1)
			return goodFor, nil
		})
		if err := r.try(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*testTTL)
		defer cancel()
		if err := r.run(ctx, events{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the term ended early: %v", err)
		}
		want := int32(10 * 5 * testTTL / opened(0).RenewEvery)
		if n := asked.Load(); n < want-1 || n > want+2 {
			t.Errorf("asked %d times in 10 TTLs, want %d", n, want)
		}
	})
}
