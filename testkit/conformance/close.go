package conformance

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// closeLimit is how long Close may take.
const closeLimit = 5 * time.Second

// closeCases are about the end of a client.
func closeCases() []testCase {
	return []testCase{
		{
			rule: "R9", name: "Close withdraws everything and ends everything",
			why:  "a process that ends in order leaves no trace, and nobody waits for its TTL",
			play: closesAll,
		},
		{
			rule: "R9", name: "Close is idempotent, from anywhere at once",
			why: "several parts of a process may think that they are the last",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				var closing sync.WaitGroup
				for range 4 {
					closing.Go(func() {
						if err := a.Close(); err != nil {
							s.Errorf("Close: %v", err)
						}
					})
				}
				closing.Wait()
				s.ok(a.Close())
				b.sees(s.soon(), service.Name)
			},
		},
		{
			rule: "R9", name: "after Close everything is closed",
			why:  "a mistake in the order of shutting down must show, and must not hang",
			play: afterClose,
		},
		{
			rule: "R9", name: "what waits ends with Close",
			why:  "a campaign may wait for days",
			play: closeEndsWaits,
		},
		{
			rule: "R9", name: "cut off, Close ends in time and the TTL does the rest",
			why:   "a process that shuts down during an outage must not hang",
			needs: []ability{canCut},
			play:  func(s *scene) { closesDuring(s, (*member).cut) },
		},
		{
			rule: "R9", name: "in silence, Close ends in time and the TTL does the rest",
			why:   "a connection that swallows everything must not keep a process from ending",
			needs: []ability{canFreeze},
			play:  func(s *scene) { closesDuring(s, (*member).freeze) },
		},
		{
			rule: "R9", name: "a callback may close",
			why:   "a process that has lost its registration may want to end",
			needs: []ability{canExpire},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				closed := make(chan struct{})
				s.ok(a.Register(s.ctx(), service, func(error) {
					_ = a.Close() // what it could not reach is of no interest here
					close(closed)
				}))
				a.expire()
				s.closes(closed, s.TTL+closeLimit+s.soon(), "Close in a callback returns")
				b.sees(s.gone(), service.Name)
			},
		},
		{
			rule: "R9", name: "a registration that is under way does not survive Close",
			why: "a write that lands after Close must not leave a record that nobody looks after",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(s.service(s.name("other"), "1")) // so that there is a session
				late := a.hold(driver.OpRegister)
				result := make(chan error, 1)
				s.start(func() { result <- a.Register(s.ctx(), service, nil) })
				s.eventually(s.soon(), "the registration is sent", func() bool {
					return len(a.sent(driver.OpRegister)) == 2
				})
				_ = a.Close() // it may say that it could not wait
				err, returned := receive(result, s.soon())
				if !returned {
					s.Fatal("Register has not returned after Close")
				}
				s.is(err, reception.ErrClosed)
				late.release()
				b.sees(s.gone(), service.Name)
				b.keepsSeeing(s.TTL, service.Name)
			},
		},
		{
			rule: "R9", name: "every call of a client ends with its context",
			why:   "a wait that its caller cannot end keeps a process from ending",
			needs: []ability{canFreeze},
			play:  callsEndWithTheirContexts,
		},
		{
			rule: "R9", name: "spi: what waits at the backend ends with it",
			why:  "a client can only join what returns",
			play: spiClose,
		},
		{
			rule: "R9", name: "spi: every call ends with its context",
			why:   "a wait that its caller cannot end keeps a process from ending",
			needs: []ability{canFreeze},
			play: func(s *scene) {
				d := s.direct()
				s.undo(s.cluster.Freeze(d.raw))
				for _, op := range driver.Operations() {
					start := time.Now()
					err := d.call(s.brief(s.TTL/20), op)
					took := time.Since(start)
					// The connection may be found to be lost before the context ends; then the call says so. And what needs
					// no answer of the servers may return before that.
					if early := took < s.TTL/20; !early && !errors.Is(err, context.DeadlineExceeded) {
						s.Errorf("%s whose context ends: %v", op.Name, err)
					}
					if took > s.TTL/20+50*time.Millisecond+s.Grace {
						s.Errorf("%s whose context ends returns after %v", op.Name, took)
					}
				}
			},
		},
	}
}

func closesAll(s *scene) {
	a, b := s.pair()
	name, election := s.name("api"), s.name("job")
	a.register(s.service(name, "1"), s.service(name, "2"))
	survivor := s.service(name, "3")
	b.register(survivor)
	w := a.watch(name)
	w.next(s.soon())
	l := a.watchLeader(election)
	leading := a.leads(election, "a")
	next := b.campaign(election, "b", func() {
		if leading.term.Held() {
			s.Error("the successor leads while the closed client's term is held")
		}
	}).queued()
	s.ok(a.Close())
	if leading.term.Held() || leading.term.Context().Err() == nil {
		s.Error("after Close the term is held")
	}
	s.is(context.Cause(leading.term.Context()), reception.ErrClosed)
	w.ends(s.soon())
	l.ends(s.soon())
	next.elected(s.election())
	b.sees(s.soon(), name, survivor)
	b.keepsSeeing(2*s.TTL, name, survivor)
}

func afterClose(s *scene) {
	a := s.member()
	service := s.service(s.name("api"), "1")
	term := a.leads(s.name("job"), "1").term
	s.ok(a.Close())
	for what, call := range a.callsOf(term, service) {
		err := call(s.ctx())
		if !errors.Is(err, reception.ErrClosed) {
			s.Errorf("%s after Close: %v, want %q", what, err, reception.ErrClosed)
		}
		if wrapped, ok := errors.AsType[*reception.Error](err); ok && (wrapped.Op == "" || wrapped.Backend != a.raw.Name()) {
			s.Errorf("%s after Close: the error says operation %q of backend %q", what, wrapped.Op, wrapped.Backend)
		} else if !ok {
			s.Errorf("%s after Close: %v is no *reception.Error", what, err)
		}
	}
}

// callsOf are the calls that a client's user may make, by name.
func (m *member) callsOf(term reception.Term, service *reception.Service) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Register":     func(ctx context.Context) error { return m.Register(ctx, service, nil) },
		"Deregister":   func(ctx context.Context) error { return m.Deregister(ctx, service) },
		"ListServices": func(ctx context.Context) error { _, err := m.ListServices(ctx, service.Name); return err },
		"ListNames":    func(ctx context.Context) error { _, err := m.ListNames(ctx); return err },
		"Campaign":     func(ctx context.Context) error { _, err := m.Campaign(ctx, service.Name, service); return err },
		"Leader":       func(ctx context.Context) error { _, err := m.Leader(ctx, service.Name); return err },
		"Start":        func(ctx context.Context) error { _, err := m.NewWatcher(service.Name).Start(ctx); return err },
		"leader Start": func(ctx context.Context) error { _, err := m.NewLeaderWatcher(service.Name).Start(ctx); return err },
		"Verify":       func(ctx context.Context) error { return term.Verify(ctx) },
		"Resign":       func(ctx context.Context) error { return term.Resign(ctx) },
	}
}

func callsEndWithTheirContexts(s *scene) {
	a := s.member()
	service := s.service(s.name("api"), "1")
	a.register(service)
	term := a.leads(s.name("job"), "1").term
	a.freeze()
	for what, call := range a.callsOf(term, service) {
		start := time.Now()
		err := call(s.brief(s.TTL / 50))
		if took := time.Since(start); took > s.TTL/50+50*time.Millisecond+s.Grace {
			s.Errorf("%s whose context ends after %v returns after %v", what, s.TTL/50, took)
		}
		if err == nil && !strings.HasSuffix(what, "Start") {
			s.Errorf("%s has succeeded in silence", what)
		}
	}
}

func closeEndsWaits(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	holder := b.leads(election, "b")
	waiting := a.campaign(election, "a").queued()
	s.ok(a.Close())
	waiting.fails(s.soon(), reception.ErrClosed)
	s.ok(holder.term.Resign(s.ctx()))
	b.nobodyLeads(s.soon(), election)
}

func closesDuring(s *scene, begin func(*member) (end func())) {
	a, b := s.pair()
	name, election := s.name("api"), s.name("job")
	a.register(s.service(name, "1"), s.service(name, "2"))
	b.sees(s.soon(), name, a.list(name)...)
	leading := a.leads(election, "a")
	waiting := a.campaign(s.name("other"), "a")
	waiting.elected(s.election())
	begin(a)
	start := time.Now()
	if err := a.Close(); err == nil {
		s.Error("Close reached the backend, which could not be reached")
	}
	if took := time.Since(start); took > closeLimit+s.Grace {
		s.Errorf("Close took %v, want at most %v", took, closeLimit)
	}
	if leading.term.Held() || waiting.term.Held() {
		s.Error("after Close a term is held")
	}
	s.ok(a.Close())
	b.sees(s.gone(), name)
	b.campaign(election, "b").elected(s.gone() + s.election())
}

func spiClose(s *scene) {
	d, e := s.direct(), s.direct()
	name, election := s.name("api"), s.name("job")
	session, _ := e.session()
	e.enqueue(session, election, "e")
	mine := d.open().Session
	d.enqueue(mine, election, "d")
	w := d.watchService(name)
	results := make(chan error, 2)
	s.start(func() { _, err := d.awaitTurn(s.ctx(), mine, election); results <- err })
	s.start(func() { _, err := w.stream.Next(s.ctx()); results <- err })
	s.never(s.Propagation, "what should wait has returned", func() bool { return len(results) > 0 })
	s.ok(d.Close())
	for range 2 {
		err, returned := receive(results, s.soon())
		if !returned {
			s.Fatal("a call still waits after Close")
		}
		s.is(err, driver.ErrClosed)
	}
	for _, op := range driver.Operations() {
		if err := d.call(s.ctx(), op); !errors.Is(err, driver.ErrClosed) {
			s.Errorf("%s after Close: %v", op.Name, err)
		}
	}
	s.ok(d.Close())
}
