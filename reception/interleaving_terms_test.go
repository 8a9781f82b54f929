package reception_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func TestTermEndsBeforeTheBackendIsTold(t *testing.T) {
	endings := map[string]func(s *scene, term reception.Term) error{
		"resign": func(s *scene, term reception.Term) error { return term.Resign(s.Context()) },
		"close":  func(s *scene, _ reception.Term) error { return s.client.Close() },
	}
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(s *scene) {
				term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
				if err != nil {
					s.Fatal(err)
				}
				var told atomic.Int32
				for _, op := range []string{"Withdraw", "CloseSession"} {
					s.inject(fake.Fault{Operation: op, Times: fake.Always, Hook: func(context.Context, driver.Call) error {
						told.Add(1)
						if term.Held() || term.Context().Err() == nil {
							s.Errorf("%s was sent while the term was held: %v, its context %v", op, term.Held(), term.Context().Err())
						}
						return nil
					}})
				}
				if err := end(s, term); err != nil {
					s.Fatal(err)
				}
				if told.Load() == 0 {
					s.Error("the backend was not told")
				}
			})
		})
	}
}

func TestResignationWhoseAnswerIsLost(t *testing.T) {
	// It is sent again, finds no candidacy any more, and is a success all the same.
	bubble(t, func(s *scene) {
		term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
		if err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "Withdraw", Stage: fake.After, LoseReply: true})
		if err := term.Resign(s.Context()); err != nil {
			s.Errorf("Resign returned %v", err)
		}
		if err := term.Resign(s.Context()); !errors.Is(err, reception.ErrNotLeader) {
			s.Errorf("the second Resign returned %v, want ErrNotLeader", err)
		}
	})
}

func TestResignationThatIsNeverConfirmed(t *testing.T) {
	// The backend answers nothing but errors until its session must be gone, when nobody tries any more. Who waits for
	// the confirmation with a context that never ends is told so.
	bubble(t, func(s *scene) {
		term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
		if err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "Withdraw", Times: fake.Always, Err: driver.ErrUnavailable})
		if err := term.Resign(s.Context()); !errors.Is(err, reception.ErrUnavailable) {
			s.Errorf("Resign returned %v, want ErrUnavailable", err)
		}
	})
}

func TestResignWithTheTermsContext(t *testing.T) {
	// The end of the term ends the context that Resign was given; what is still to be done is done.
	bubble(t, func(s *scene) {
		candidate := api("a", 1)
		err := reception.RunWhileLeader(s.Context(), s.client, "reaper", candidate,
			func(ctx context.Context, term reception.Term) error { return term.Resign(ctx) })
		if err != nil {
			s.Errorf("Resign returned %v", err)
		}
		if leader, err := s.other.Leader(s.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) {
			s.Errorf("after Resign there is a leader: %v, %v", leader, err)
		}
	})
}

func TestCloseOvertakesACampaign(t *testing.T) {
	// The client is closed while the confirmation that would begin the term is on its way back.
	bubble(t, func(s *scene) {
		closed := make(chan error, 1)
		s.inject(fake.Fault{Operation: "Confirm", Stage: fake.After, Hook: func(context.Context, driver.Call) error {
			go func() { closed <- s.client.Close() }()
			return nil
		}})
		term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
		if err := <-closed; err != nil {
			s.Errorf("Close returned %v", err)
		}
		if err == nil && term.Held() {
			s.Error("a term is held that nobody ends")
		}
		if err != nil && !errors.Is(err, reception.ErrClosed) {
			s.Errorf("Campaign returned %v, want ErrClosed", err)
		}
		if leader, err := s.other.Leader(s.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) {
			s.Errorf("after Close there is a leader: %v, %v", leader, err)
		}
	})
}

func TestTurnWithoutASessionIsNoTerm(t *testing.T) {
	// The turn has come and the session goes before the confirmation: the campaign starts over.
	bubble(t, func(s *scene) {
		s.inject(fake.Fault{Operation: "AwaitTurn", Stage: fake.After, Hook: func(context.Context, driver.Call) error {
			s.backend.ExpireSessions()
			return nil
		}})
		term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
		if err != nil {
			s.Fatal(err)
		}
		leader, err := s.other.Leader(s.Context(), "reaper")
		if err != nil || leader.Token != term.Token() {
			s.Errorf("the term has token %d, the cluster's leader is %v, %v", term.Token(), leader, err)
		}
		if n := s.calls(driver.OpEnqueue); n != 2 {
			s.Errorf("%d candidacies, want a second one", n)
		}
	})
}

func TestRemovedCandidacyEndsTheTermAtOnce(t *testing.T) {
	bubble(t, func(s *scene) {
		term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
		if err != nil {
			s.Fatal(err)
		}
		start := time.Now()
		if s.backend.ExpireSessions() == 0 {
			s.Fatal("there was no session to expire")
		}
		<-term.Context().Done()
		if waited := time.Since(start); waited != 0 {
			s.Errorf("a connected holder noticed after %v", waited)
		}
		if term.Held() || !errors.Is(context.Cause(term.Context()), reception.ErrNotLeader) &&
			!errors.Is(context.Cause(term.Context()), reception.ErrSessionExpired) {
			s.Errorf("held: %v, cause: %v", term.Held(), context.Cause(term.Context()))
		}
	})
}
