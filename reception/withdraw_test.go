package reception_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func TestRefusedCandidaciesDoNotPileUp(t *testing.T) {
	// Nobody may queue, or withdraw: what is left of each campaign ends with its session, which is closed.
	bubble(t, func(s *scene) {
		synctest.Wait()
		before := runtime.NumGoroutine()
		for _, operation := range []string{"Enqueue", "Withdraw"} {
			s.inject(fake.Fault{Operation: operation, Err: driver.ErrPermission, Times: fake.Always})
		}
		for range 50 {
			if _, err := s.client.Campaign(s.Context(), "reaper", api("a", 1)); !errors.Is(err, reception.ErrPermission) {
				s.Fatalf("Campaign returned %v, want ErrPermission", err)
			}
		}
		synctest.Wait()
		if left := s.Sessions(); len(left) > 0 {
			s.Errorf("%d sessions are left", len(left))
		}
		if after := runtime.NumGoroutine(); after > before+10 { // the test binary has some of its own that come and go
			s.Errorf("%d goroutines after 50 campaigns, %d before", after, before)
		}
	})
}

func TestWithdrawalsInVainDoNotPileUp(t *testing.T) {
	// The backend fails whatever would end a candidacy: that is given up when the session must have ended by itself.
	bubble(t, func(s *scene) {
		synctest.Wait()
		before := runtime.NumGoroutine()
		for _, operation := range []string{"Withdraw", "CloseSession"} {
			s.inject(fake.Fault{Operation: operation, Err: driver.ErrUnavailable, Times: fake.Always})
		}
		ended, cancel := context.WithCancel(s.Context())
		cancel()
		for i := range 50 {
			term, err := s.client.Campaign(s.Context(), "reaper-"+strconv.Itoa(i), api("a", 1))
			if err != nil {
				s.Fatal(err)
			}
			if err := term.Resign(ended); err == nil {
				s.Fatal("Resign did not fail")
			}
		}
		time.Sleep(10*ttl + time.Second)
		synctest.Wait()
		if after := runtime.NumGoroutine(); after > before+10 {
			s.Errorf("%d goroutines after 10 times the time to live, %d before", after, before)
		}
	})
}

func TestClosingASessionThatHasGone(t *testing.T) {
	// A candidate's session has gone when it is to be closed: then it is closed, for Resign and for Close.
	bubble(t, func(s *scene) {
		synctest.Wait()
		before := runtime.NumGoroutine()
		s.inject(fake.Fault{Operation: "CloseSession", Err: driver.ErrSessionExpired, Times: fake.Always})
		for range 20 {
			term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
			if err != nil {
				s.Fatal(err)
			}
			if err := term.Resign(s.Context()); err != nil {
				s.Fatal(err)
			}
		}
		synctest.Wait()
		if after := runtime.NumGoroutine(); after > before+10 { // the test binary has some of its own that come and go
			s.Errorf("%d goroutines after 20 terms, %d before", after, before)
		}
		register(s, s.client, api("a", 1))
		if err := s.closes(s.client); err != nil {
			s.Errorf("Close returned %v", err)
		}
	})
}

// successorWithin checks how long it takes until the other client leads.
func (s *scene) successorWithin(d time.Duration) {
	s.Helper()
	start := time.Now()
	if _, err := s.other.Campaign(s.Context(), "reaper", api("b", 2)); err != nil {
		s.Fatal(err)
	}
	if took := time.Since(start); took > d {
		s.Errorf("the successor led after %v, want %v at the most", took, d)
	}
}

func TestResignThatIsRefused(t *testing.T) {
	// The backend does not let the candidacy be withdrawn: the end of its session does that.
	bubble(t, func(s *scene) {
		term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
		if err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "Withdraw", Err: driver.ErrPermission, Times: fake.Always})
		if err := term.Resign(s.Context()); err != nil {
			s.Errorf("Resign returned %v", err)
		}
		s.successorWithin(0)
	})
}

func TestResignThatIsSwallowed(t *testing.T) {
	// The backend never answers the first request: another one is sent before the session ends by itself.
	bubble(t, func(s *scene) {
		term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
		if err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "Withdraw", Delay: time.Hour})
		ctx, cancel := context.WithTimeout(s.Context(), time.Second)
		defer cancel()
		err = term.Resign(ctx)
		if !errors.Is(err, reception.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("Resign returned %v, want ErrUnavailable and the context's error", err)
		}
		s.successorWithin(11 * time.Second)
	})
}
