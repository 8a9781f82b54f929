package reception_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// openings returns how often a session is asked for, in vain, in the first minute after an outage of n registrations.
func openings(t *testing.T, n int) (attempts int) {
	t.Helper()
	bubble(t, func(s *scene) {
		for i := range n {
			register(s, s.client, api(strconv.Itoa(i), 1))
		}
		var tries atomic.Int64
		s.backend.Cut()
		time.Sleep(2 * ttl)
		s.inject(fake.Fault{
			Operation: "OpenSession", Times: fake.Always, Err: driver.ErrUnavailable,
			Hook: func(context.Context, driver.Call) error { tries.Add(1); return nil },
		})
		s.backend.Heal()
		time.Sleep(time.Minute)
		attempts = int(tries.Load())
	})
	return attempts
}

func TestNoStampedeForASession(t *testing.T) {
	// Every registration comes back for a session, each in its own time: none of them hurries the one that is asked for.
	one := openings(t, 1)
	if many := openings(t, 500); one == 0 || many > 2*one {
		t.Errorf("%d attempts for 500 registrations, %d for one", many, one)
	}
}

func TestRegisterHurriesTheSession(t *testing.T) {
	// The keeper waits after a failed attempt: a user who registers now does not wait for that.
	bubble(t, func(s *scene) {
		s.backend.Cut()
		for range 20 {
			if err := s.client.Register(s.Context(), api("a", 1), nil); !errors.Is(err, reception.ErrUnavailable) {
				s.Fatalf("Register returned %v, want ErrUnavailable", err)
			}
		}
		s.backend.Heal()
		start := time.Now()
		register(s, s.client, api("a", 1))
		if took := time.Since(start); took > 0 {
			s.Errorf("Register took %v", took)
		}
	})
}

func TestOpenSessionThatIsSwallowed(t *testing.T) {
	// The backend never answers the first request: who waits for a session learns it, and the next one gets one.
	bubble(t, func(s *scene) {
		s.inject(fake.Fault{Operation: "OpenSession", Delay: time.Hour})
		start := time.Now()
		if err := s.client.Register(s.Context(), api("a", 1), nil); !errors.Is(err, reception.ErrUnavailable) {
			s.Errorf("Register returned %v, want ErrUnavailable", err)
		}
		if took := time.Since(start); took > 11*time.Second {
			s.Errorf("Register took %v", took)
		}
		register(s, s.client, api("a", 1))
		s.sees(0, 1)
	})
}

func TestWhyASessionIsLost(t *testing.T) {
	// A write, not a renewal, is the first to be told that the session has gone, and why: owners are told the same.
	bubble(t, func(s *scene) {
		why := fmt.Errorf("%w: %w", driver.ErrSessionExpired, reception.ErrNoConsulHealthCheck)
		var told []error
		if err := s.client.Register(s.Context(), api("a", 1), func(err error) { told = append(told, err) }); err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "Register", Err: why})
		register(s, s.client, api("b", 1))
		synctest.Wait()
		if len(told) != 1 || !errors.Is(told[0], reception.ErrSessionExpired) || !errors.Is(told[0], reception.ErrNoConsulHealthCheck) {
			s.Errorf("told: %v", told)
		}
	})
}
