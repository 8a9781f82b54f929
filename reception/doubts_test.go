package reception_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// lateUpdate is a backend whose second Register lands some time after its outcome was said to be unknown.
type lateUpdate struct {
	driver.Backend
	land  context.Context
	calls int
}

func (b *lateUpdate) Register(ctx context.Context, in *driver.RegisterRequest) (*driver.RegisterResponse, error) {
	b.calls++
	if b.calls != 2 {
		return b.Backend.Register(ctx, in)
	}
	context.AfterFunc(b.land, func() { _, _ = b.Backend.Register(context.Background(), in) })
	return nil, driver.ErrOutcomeUnknown
}

func TestUpdateThatLandsAfterTheReplacement(t *testing.T) {
	// An update is of unknown outcome, another client takes the record over and leaves, and only then does the update
	// land: nobody keeps it up, so it must not stay.
	bubble(t, func(s *scene) {
		land, cancel := context.WithCancel(context.Background())
		defer cancel()
		client := newClient(s, &lateUpdate{Backend: s.Backend(), land: land})
		told := make(chan error, 9)
		if err := client.Register(s.Context(), api("a", 1), func(err error) { told <- err }); err != nil {
			s.Fatal(err)
		}
		if err := client.Register(s.Context(), api("a", 2), nil); !errors.Is(err, reception.ErrOutcomeUnknown) {
			s.Fatalf("the update returned %v, want ErrOutcomeUnknown", err)
		}
		synctest.Wait()
		register(s, s.other, api("a", 3))
		if err := <-told; !errors.Is(err, reception.ErrReplaced) {
			s.Errorf("the owner was told %v, want ErrReplaced", err)
		}
		deregister(s, s.other, api("a", 3))
		before := s.calls(driver.OpDeregister)
		cancel() // now it lands
		synctest.Wait()
		if s.calls(driver.OpDeregister) == before {
			s.Error("what landed late was not removed")
		}
		s.sees(10 * ttl)
		if err := client.Deregister(s.Context(), api("a", 2)); !errors.Is(err, reception.ErrNotRegistered) {
			s.Errorf("Deregister returned %v, want ErrNotRegistered", err)
		}
	})
}

func TestUpdateThatLandsAfterTheRemoval(t *testing.T) {
	// An update is of unknown outcome, the next one succeeds, the registration is withdrawn, and only then does the first
	// update land.
	bubble(t, func(s *scene) {
		land, cancel := context.WithCancel(context.Background())
		defer cancel()
		client := newClient(s, &lateUpdate{Backend: s.Backend(), land: land})
		register(s, client, api("a", 1))
		if err := client.Register(s.Context(), api("a", 2), nil); !errors.Is(err, reception.ErrOutcomeUnknown) {
			s.Fatalf("the update returned %v, want ErrOutcomeUnknown", err)
		}
		register(s, client, api("a", 3))
		deregister(s, client, api("a", 3))
		synctest.Wait()
		cancel() // now it lands
		synctest.Wait()
		s.sees(3 * ttl)
	})
}

func TestDoubtsDoNotPileUp(t *testing.T) {
	// Every Register is of unknown outcome; one removal sees to all of them.
	bubble(t, func(s *scene) {
		register(s, s.client, api("z", 1)) // keeps the session, and with it the doubt
		synctest.Wait()
		before := runtime.NumGoroutine()
		s.inject(fake.Fault{Operation: "Register", Stage: fake.After, LoseReply: true, Times: fake.Always})
		for range 100 {
			if err := s.client.Register(s.Context(), api("a", 2), nil); !errors.Is(err, reception.ErrOutcomeUnknown) {
				s.Fatalf("Register returned %v, want ErrOutcomeUnknown", err)
			}
			synctest.Wait()
		}
		time.Sleep(10 * ttl)
		if after := runtime.NumGoroutine(); after > before+10 {
			s.Errorf("%d goroutines after 100 doubts, %d before", after, before)
		}
		s.sees(0, 1)
	})
}

func TestRemovalOfALaterRecord(t *testing.T) {
	// The record is removed and the answer on its way, a new one is registered and withdrawn, too: the answer is about the
	// first one only.
	bubble(t, func(s *scene) {
		register(s, s.client, api("a", 1))
		s.inject(fake.Fault{Operation: "Deregister", Stage: fake.After, Delay: 5 * time.Second})
		ctx, cancel := context.WithTimeout(s.Context(), time.Second)
		defer cancel()
		if err := s.client.Deregister(ctx, api("a", 1)); !errors.Is(err, reception.ErrUnavailable) {
			s.Fatalf("Deregister returned %v, want ErrUnavailable", err)
		}
		register(s, s.client, api("a", 2))
		s.sees(0, 2)
		deregister(s, s.client, api("a", 2))
		s.sees(3 * ttl)
	})
}

func TestRemovalLeavesALaterRecord(t *testing.T) {
	// The removal is still being tried when the instance is registered again.
	bubble(t, func(s *scene) {
		register(s, s.client, api("a", 1))
		s.inject(fake.Fault{Operation: "Deregister", Err: driver.ErrUnavailable, Times: 3})
		ctx, cancel := context.WithTimeout(s.Context(), time.Millisecond)
		defer cancel()
		if err := s.client.Deregister(ctx, api("a", 1)); !errors.Is(err, reception.ErrUnavailable) {
			s.Fatalf("Deregister returned %v, want ErrUnavailable", err)
		}
		register(s, s.client, api("a", 2))
		s.sees(3*ttl, 2)
	})
}

func TestRemovalWhileOnGuard(t *testing.T) {
	// The place is guarded on account of a doubt when a registration there is withdrawn: that does not wait for the doubt
	// to be resolved.
	bubble(t, func(s *scene) {
		register(s, s.client, api("z", 1)) // keeps the session, and with it the doubt
		s.inject(fake.Fault{Operation: "Register", Stage: fake.After, LoseReply: true})
		if err := s.client.Register(s.Context(), api("a", 2), nil); !errors.Is(err, reception.ErrOutcomeUnknown) {
			s.Fatalf("Register returned %v, want ErrOutcomeUnknown", err)
		}
		s.sees(3*ttl, 1)
		for range 3 {
			register(s, s.client, api("a", 3))
			synctest.Wait()
			start := time.Now()
			deregister(s, s.client, api("a", 3))
			if took := time.Since(start); took > time.Second {
				s.Errorf("Deregister took %v", took)
			}
			s.sees(ttl, 1)
		}
	})
}
