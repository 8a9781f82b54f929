package reception_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// TestGraceIsOverBeforeTheHorizon is the interleaving that RunWithGrace forbids: the leader's link is cut, its work is
// told when the term has ended, takes its time to stop, and the next leader begins meanwhile.
func TestGraceIsOverBeforeTheHorizon(t *testing.T) {
	for _, grace := range []time.Duration{0, time.Second, 5 * time.Second, 12 * time.Second} {
		t.Run(grace.String(), func(t *testing.T) {
			bubble(t, func(s *scene) {
				var cut, told, horizon time.Time
				err := reception.RunWithGrace(s.Context(), s.client, "reaper", api("a", 1), grace,
					func(ctx context.Context, term reception.Term) error {
						time.Sleep(time.Hour) // renewals move the notice on
						if ctx.Err() != nil {
							s.Errorf("notice was given of a term that is renewed: %v", context.Cause(ctx))
						}
						cut = time.Now()
						s.backend.Cut()
						<-ctx.Done()
						told = time.Now()
						if grace > 0 && !term.Held() {
							s.Error("the term is over already")
						}
						<-term.Context().Done()
						horizon = time.Now()
						return ctx.Err()
					})
				if !errors.Is(err, reception.ErrNotLeader) {
					s.Errorf("got %v, want ErrNotLeader", err)
				}
				if left := horizon.Sub(told); left != grace {
					s.Errorf("%v were left to stop, want %v", left, grace)
				}
				if after := horizon.Sub(cut); after > ttl-ttl/10 {
					s.Errorf("the term ended %v after the cut, for a TTL of %v", after, ttl)
				}
			})
		})
	}
}

func TestLeadIsGivenUpWhenTheWorkHasStopped(t *testing.T) {
	// Within its grace: the backend is back by then, so the next leader need not wait for the end of the session.
	bubble(t, func(s *scene) {
		var stopped time.Time
		err := reception.RunWithGrace(s.Context(), s.client, "reaper", api("a", 1), 5*time.Second,
			func(ctx context.Context, _ reception.Term) error {
				s.backend.Cut()
				<-ctx.Done()
				s.backend.Heal()
				time.Sleep(2 * time.Second)
				stopped = time.Now()
				return nil
			})
		if !errors.Is(err, reception.ErrNotLeader) || !strings.Contains(err.Error(), "while there is time to stop") {
			s.Errorf("got %v, want it to say that the lead was no longer certain", err)
		}
		if _, err := s.other.Leader(s.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) || time.Since(stopped) != 0 {
			s.Errorf("the lead was not given up at once: %v, after %v", err, time.Since(stopped))
		}
	})
}

func TestGraceOfWorkThatIsCalledOff(t *testing.T) {
	// The term is renewed while the work stops, and resigned after that.
	bubble(t, func(s *scene) {
		ctx, cancel := context.WithCancel(s.Context())
		time.AfterFunc(time.Second, cancel)
		err := reception.RunWithGrace(ctx, s.client, "reaper", api("a", 1), time.Second,
			func(ctx context.Context, term reception.Term) error {
				<-ctx.Done()
				time.Sleep(10 * ttl)
				if !term.Held() {
					s.Error("the lead was given up before the work had stopped")
				}
				return ctx.Err()
			})
		if !errors.Is(err, context.Canceled) {
			s.Errorf("got %v, want context.Canceled", err)
		}
	})
}

func TestRemovalLeavesNoGrace(t *testing.T) {
	bubble(t, func(s *scene) {
		err := reception.RunWithGrace(s.Context(), s.client, "reaper", api("a", 1), time.Second,
			func(ctx context.Context, term reception.Term) error {
				s.backend.ExpireSessions()
				<-ctx.Done()
				if term.Context().Err() == nil || term.Held() {
					s.Error("a term that was taken away is held")
				}
				return ctx.Err()
			})
		if !errors.Is(err, reception.ErrSessionExpired) && !errors.Is(err, reception.ErrNotLeader) {
			s.Errorf("got %v, want to hear that the term was lost", err)
		}
	})
}

func TestTermWithGraceIsRenewedInWhatIsLeft(t *testing.T) {
	// 15 s less a margin of 1.5 s less 10.5 s of grace leave 3 s: a confirmation a second, rather than one in five.
	bubble(t, func(s *scene) {
		run := func(ctx context.Context, _ reception.Term) error {
			time.Sleep(10 * time.Second)
			return ctx.Err()
		}
		err := reception.RunWithGrace(s.Context(), s.client, "reaper", api("a", 1), 10500*time.Millisecond, run)
		if err != nil {
			s.Errorf("got %v", err)
		}
		if n := s.calls(driver.OpConfirm); n < 9 || n > 12 {
			s.Errorf("%d confirmations in ten seconds, want about ten", n)
		}
	})
}

func TestGraceThatATermDoesNotHave(t *testing.T) {
	ran := errors.New("the work was run")
	never := func(context.Context, reception.Term) error { return ran }
	t.Run("of its session", func(t *testing.T) {
		bubble(t, func(s *scene) {
			for _, grace := range []time.Duration{12*time.Second + 1, 13500 * time.Millisecond, time.Hour} {
				err := reception.RunWithGrace(s.Context(), s.client, "reaper", api("a", 1), grace, never)
				if !errors.Is(err, reception.ErrGraceTooLong) || !strings.Contains(err.Error(), "where 12s is the most") {
					s.Errorf("%v: got %v, want ErrGraceTooLong and that 12s would do", grace, err)
				}
			}
			if n := s.calls(driver.OpEnqueue); n != 0 {
				s.Errorf("it queued for the lead %d times before it found out", n)
			}
		})
	})
	t.Run("of the term", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cluster := fake.NewCluster(fake.WithTTL(ttl))
			brief := driver.Intercept(cluster.Backend(), func(
				ctx context.Context, _ driver.Call, invoke func(context.Context) (any, error),
			) (any, error) {
				result, err := invoke(ctx)
				if confirmed, is := result.(*driver.ConfirmResponse); is && err == nil {
					confirmed.GoodFor = 2 * time.Second
				}
				return result, err
			})
			client := newClient(t, brief)
			err := reception.RunWithGrace(t.Context(), client, "reaper", api("a", 1), 5*time.Second, never)
			if !errors.Is(err, reception.ErrGraceTooLong) {
				t.Errorf("got %v, want ErrGraceTooLong", err)
			}
		})
	})
}

func TestGraceByWhatRenewalsSay(t *testing.T) {
	// A session may be certain for less at first than after each renewal, and need time to settle.
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster(fake.WithTTL(ttl), fake.WithSettle(ttl/4))
		wary := driver.Intercept(cluster.Backend(), func(
			ctx context.Context, _ driver.Call, invoke func(context.Context) (any, error),
		) (any, error) {
			result, err := invoke(ctx)
			if opened, is := result.(*driver.OpenSessionResponse); is && err == nil {
				opened.TTL = ttl / 2
			}
			return result, err
		})
		client := newClient(t, wary)
		// 15 s less twice 1.5 s and 3.75 s.
		err := reception.RunWithGrace(t.Context(), client, "reaper", api("a", 1), 8250*time.Millisecond,
			func(ctx context.Context, _ reception.Term) error {
				time.Sleep(time.Hour)
				return context.Cause(ctx)
			})
		if err != nil {
			t.Errorf("got %v", err)
		}
		err = reception.RunWithGrace(t.Context(), client, "reaper", api("a", 1), 8250*time.Millisecond+1,
			func(context.Context, reception.Term) error { return nil })
		if !errors.Is(err, reception.ErrGraceTooLong) {
			t.Errorf("got %v, want ErrGraceTooLong", err)
		}
	})
}

func TestGraceOfWhoHasWaited(t *testing.T) {
	// Who has waited in the queue may stand on the session at once; not before that leaves the grace.
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster(fake.WithTTL(ttl), fake.WithSettle(ttl/4))
		client, _, other := pair(t, cluster)
		first, err := other.Campaign(t.Context(), "reaper", api("b", 1))
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(10*ttl+time.Second, func() { _ = first.Resign(context.WithoutCancel(t.Context())) })
		err = reception.RunWithGrace(t.Context(), client, "reaper", api("a", 1), 8*time.Second,
			func(ctx context.Context, _ reception.Term) error {
				time.Sleep(time.Hour)
				return context.Cause(ctx)
			})
		if err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestGraceNeedsAClientOfOurs(t *testing.T) {
	bubble(t, func(s *scene) {
		run := func(context.Context, reception.Term) error { return nil }
		type decorated struct{ reception.Client }
		if err := reception.RunWithGrace(s.Context(), decorated{s.client}, "reaper", api("a", 1), 0, run); err == nil {
			s.Error("a client that knows no horizon was accepted")
		}
		if err := reception.RunWithGrace(s.Context(), s.client, "reaper", api("a", 1), -1, run); err == nil {
			s.Error("a negative grace was accepted")
		}
	})
}
