package conformance

import (
	"errors"
	"sync"
	"time"
)

// calls are those of one registration's callback.
type calls struct {
	s       *scene
	arrived chan told

	mu  sync.Mutex
	all []told
}

// told is one call of a callback.
type told struct {
	err error
	at  time.Time
}

// calls makes a callback that notes what it is told.
func (s *scene) calls() *calls { return &calls{s: s, arrived: make(chan told, 256)} }

// note is the callback.
func (c *calls) note(err error) {
	call := told{err, time.Now()}
	c.mu.Lock()
	c.all = append(c.all, call)
	c.mu.Unlock()
	c.arrived <- call
}

// next fails the case unless the next call comes within that time and is told want. It returns when it came.
func (c *calls) next(within time.Duration, want error) time.Time {
	c.s.Helper()
	call, ok := receive(c.arrived, within)
	if !ok {
		c.s.Fatalf("the callback was not called within %v, want %q", within, want)
	}
	if !errors.Is(call.err, want) {
		c.s.Fatalf("the callback was told %v, want %q", call.err, want)
	}
	return call.at
}

// none fails the case if a call has come that next has not returned.
func (c *calls) none() {
	c.s.Helper()
	select {
	case call := <-c.arrived:
		c.s.Fatalf("the callback was told %v, and should not have been called", call.err)
	default:
	}
}

// count says how often the callback was told err.
func (c *calls) count(err error) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, call := range c.all {
		if errors.Is(call.err, err) {
			n++
		}
	}
	return n
}
