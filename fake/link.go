package fake

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// link is what lies between a process and the cluster. It may be up, cut or frozen, and in the end it is closed.
type link struct {
	mu    sync.Mutex // for changes; what is under way reads state without it
	state atomic.Pointer[linkState]
}

// linkState is never changed, only replaced.
type linkState struct {
	conn                *connection
	cut, frozen, closed bool
	replaced            chan struct{} // closed when another state takes this one's place
}

// connection is the time between two cuts of a link. What was under way, or open, on one connection is lost to the
// next.
type connection struct {
	link   *link
	broken chan struct{} // closed when the link is cut or closed
}

func (l *link) init() {
	l.state.Store(&linkState{conn: l.connect(), replaced: make(chan struct{})})
}

func (l *link) connect() *connection { return &connection{link: l, broken: make(chan struct{})} }

// change replaces the state by one that is changed; a closed link stays as it is.
func (l *link) change(change func(*linkState)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.state.Load()
	if old.closed {
		return
	}
	s := *old
	change(&s)
	s.replaced = make(chan struct{})
	l.state.Store(&s)
	close(old.replaced)
	if lost := s.cut || s.closed; lost && !old.cut {
		close(old.conn.broken)
	}
}

func (l *link) cut() { l.change(func(s *linkState) { s.cut = true }) }

func (l *link) heal() {
	l.change(func(s *linkState) {
		if s.cut {
			s.cut, s.conn = false, l.connect()
		}
	})
}

func (l *link) freeze(frozen bool) { l.change(func(s *linkState) { s.frozen = frozen }) }

func (l *link) close() { l.change(func(s *linkState) { s.closed = true }) }

// dial waits until the process runs, and returns the connection that it has.
func (l *link) dial(ctx context.Context) (*connection, error) {
	s := l.state.Load()
	if !s.closed && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for ; s.frozen && !s.closed; s = l.state.Load() {
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
	}
	return s.conn, s.err()
}

// pass waits until the process runs, and then says whether the connection still stands.
func (c *connection) pass(ctx context.Context) error {
	s := c.link.state.Load()
	for ; s.frozen && !s.closed; s = c.link.state.Load() {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	if err := s.err(); err != nil {
		return err
	}
	if s.conn != c {
		return driver.ErrUnavailable
	}
	return nil
}

// wait waits until the state is replaced.
func (s *linkState) wait(ctx context.Context) error {
	select {
	case <-s.replaced:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// err says why nothing gets through.
func (s *linkState) err() error {
	switch {
	case s.closed:
		return driver.ErrClosed
	case s.cut:
		return driver.ErrUnavailable
	default:
		return nil
	}
}

// Wait implements kernel.Line.
func (c *connection) Wait(ctx context.Context, ready, end <-chan struct{}, d time.Duration) error {
	var timeout <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-ready:
		return nil
	case <-timeout:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-end:
		return driver.ErrClosed
	case <-c.broken:
		return c.cause()
	}
}

// cause says why the connection is broken.
func (c *connection) cause() error {
	if c.link.state.Load().closed {
		return driver.ErrClosed
	}
	return driver.ErrUnavailable
}
