package conformance

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A scene is what one case plays on: a cluster, and the words that cases are written in.
type scene struct {
	T
	Timing

	run       *run
	cluster   *Cluster
	namespace string

	mu      sync.Mutex
	bounded context.Context // what every call of the case may use
}

// watchClock notes how late the clock that the case goes by wakes those who sleep, so that a case that fails because the
// machine stood still says so.
func (s *scene) watchClock() {
	ctx, cancel := context.WithCancel(s.Context())
	worst := time.Duration(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := s.TTL / 50; ; {
			start := time.Now()
			if sleep(ctx, tick) != nil {
				return
			}
			worst = max(worst, time.Since(start)-tick)
		}
	}()
	s.Cleanup(func() {
		cancel()
		<-done
		if s.Failed() && worst > s.TTL/20 {
			s.Logf("the machine kept a sleeper waiting for %v, of a TTL of %v", worst, s.TTL)
		}
	})
}

// ctx returns a context for calls that are expected to return: it ends only where something hangs.
func (s *scene) ctx() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bounded == nil {
		ctx, cancel := context.WithTimeout(s.Context(), 100*s.TTL+time.Minute)
		s.Cleanup(cancel)
		s.bounded = ctx
	}
	return s.bounded
}

// brief returns a context that ends after d.
func (s *scene) brief(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(s.ctx(), d)
	s.Cleanup(cancel)
	return ctx
}

// name returns a name that no other case uses.
func (s *scene) name(base string) string { return base + "-" + s.namespace }

// service returns a service of that name, which name has made, and ID.
func (s *scene) service(name, id string) *reception.Service {
	return &reception.Service{
		ID: id, Name: name, Address: "host-" + id + ".example.com", Port: 8080,
		Attributes: reception.Attributes{"id": id},
	}
}

// soon is how long a write may take to show to everybody.
func (s *scene) soon() time.Duration { return s.Propagation + s.Grace + s.poll() }

// step is how long the SDK may take to try again.
func (s *scene) step() time.Duration { return s.Backoff + s.Backoff/2 }

// gone is how long what lives on a session may outlive its last renewal.
func (s *scene) gone() time.Duration { return s.TTL + s.Late + s.soon() }

// poll is how often a condition is looked at.
func (s *scene) poll() time.Duration {
	return min(max(s.TTL/50, time.Millisecond), 100*time.Millisecond)
}

// eventually waits until the condition holds, and fails the case if it does not hold within that time.
func (s *scene) eventually(within time.Duration, what string, holds func() bool) {
	s.Helper()
	if !s.comes(within, holds) {
		s.Fatalf("not within %v: %s", within, what)
	}
}

// never fails the case if the condition comes to hold in that time.
func (s *scene) never(during time.Duration, what string, holds func() bool) {
	s.Helper()
	start := time.Now()
	if s.comes(during, holds) {
		s.Fatalf("after %v: %s", time.Since(start), what)
	}
}

// comes waits until the condition holds, and reports whether it does within that time.
func (s *scene) comes(within time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(within); ; {
		if holds() {
			return true
		}
		if !time.Now().Before(deadline) {
			return false
		}
		time.Sleep(min(s.poll(), max(time.Until(deadline), 0)))
	}
}

// receive waits for a value of ch. It reports false if none comes within that time, or ch is closed.
func receive[V any](ch <-chan V, within time.Duration) (value V, ok bool) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case value, ok = <-ch:
	case <-timer.C:
	}
	return value, ok
}

// closes waits until done is closed, and fails the case if that does not happen within that time.
func (s *scene) closes(done <-chan struct{}, within time.Duration, what string) {
	s.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		s.Fatalf("not within %v: %s", within, what)
	}
}

// start runs f on a goroutine that the case waits for in the end, and returns what is closed when f has returned.
func (s *scene) start(f func()) (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	s.Cleanup(func() { <-done })
	return done
}

// ok fails the case for an error.
func (s *scene) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("unexpected error: %v", err)
	}
}

// is fails the case unless err matches want.
func (s *scene) is(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("got %v, want %q", err, want)
	}
}

// connect opens a connection whose calls are recorded for the coverage.
func (s *scene) connect(log reception.Logger) (raw, recorded driver.Backend) {
	s.Helper()
	raw = s.cluster.Connect(s, log)
	s.Cleanup(func() { _ = raw.Close() }) // it may be closed already
	return raw, s.run.coverage.Intercept(raw)
}
