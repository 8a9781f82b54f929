package reception_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func TestDeregisterLeavesALaterRegister(t *testing.T) {
	// Deregister returns at once, as its context has ended; a Register follows before the removal has begun.
	for range 50 { // which of them is first is for the scheduler to say
		bubble(t, func(s *scene) {
			register(s, s.client, api("a", 1))
			ctx, cancel := context.WithCancel(s.Context())
			cancel()
			if err := s.client.Deregister(ctx, api("a", 1)); err != nil && !errors.Is(err, reception.ErrUnavailable) {
				s.Fatalf("Deregister returned %v", err)
			}
			register(s, s.client, api("a", 2))
			time.Sleep(10 * ttl)
			s.sees(0, 2)
		})
	}
}

// written returns the ports of the calls of Register that the cluster has carried out.
func (s *scene) written() []int {
	ports := []int{}
	for _, entry := range s.History() {
		if in, ok := entry.Request.(*driver.RegisterRequest); ok && entry.Err == nil {
			ports = append(ports, in.Instance.Service.Port)
		}
	}
	return ports
}

func TestCallsTakeTurnsInTheirOrder(t *testing.T) {
	// A Register is under way for a while; what is called meanwhile is carried out in the order of the calls.
	bubble(t, func(s *scene) {
		s.inject(fake.Fault{Operation: "Register", Delay: time.Second})
		done := make(chan error, 10)
		for port := 1; port <= 5; port++ {
			go func() { done <- s.client.Register(s.Context(), api("a", port), nil) }()
			synctest.Wait()
			if port == 3 {
				go func() { done <- s.client.Deregister(s.Context(), api("a", port)) }()
				synctest.Wait()
			}
		}
		for range 6 {
			if err := <-done; err != nil {
				s.Error(err)
			}
		}
		if got, want := s.written(), []int{1, 2, 3, 4, 5}; !slices.Equal(got, want) {
			s.Errorf("written were %v, want %v", got, want)
		}
		s.sees(3*ttl, 5)
	})
}

func TestTurnThatIsGivenUp(t *testing.T) {
	// The second call's context ends while it waits for its turn: it writes nothing, and lets nobody overtake the first.
	bubble(t, func(s *scene) {
		s.inject(fake.Fault{Operation: "Register", Delay: 5 * time.Second})
		first, third := make(chan error, 1), make(chan error, 1)
		go func() { first <- s.client.Register(s.Context(), api("a", 1), nil) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(s.Context(), time.Second)
		defer cancel()
		if err := s.client.Register(ctx, api("a", 2), nil); !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("the call whose context had ended returned %v", err)
		}
		go func() { third <- s.client.Register(s.Context(), api("a", 3), nil) }()
		synctest.Wait()
		s.sees(0)
		if err := errors.Join(<-first, <-third); err != nil {
			s.Error(err)
		}
		if got, want := s.written(), []int{1, 3}; !slices.Equal(got, want) {
			s.Errorf("written were %v, want %v", got, want)
		}
		s.sees(3*ttl, 3)
	})
}
