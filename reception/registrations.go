package reception

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/go-reception/sdk/reception/driver"
)

// registrations are what one client has registered, or is about to.
type registrations struct {
	c          *client
	sessions   *sessionKeeper
	generation atomic.Uint64 // the latest that was given to a write; growing, so that every write is told from older ones

	mu     sync.Mutex
	places map[serviceKey]*place
}

// A serviceKey identifies an instance in a cluster.
type serviceKey struct{ name, id string }

func (k serviceKey) String() string { return k.name + "/" + k.id }

// A place is where one (Name, ID) of this client is kept up. Calls that concern it take turns; between them it belongs to
// the upkeep.
type place struct {
	turn chan struct{} // one slot, taken by the Register or Deregister under way

	// Guarded by registrations.mu:
	users int     // calls that have, or wait for, the turn
	kept  *upkeep // nil while nothing is registered here
}

func newRegistrations(c *client) *registrations {
	r := &registrations{c: c, places: make(map[serviceKey]*place)}
	r.sessions = newSessionKeeper(c,
		func() {
			c.event(EventSessionLapsed, "registrations", nil)
			r.each((*notifier).disconnected)
		},
		func() { r.each((*notifier).regained) },
		func() { r.each((*notifier).expired) })
	return r
}

// each tells every registration something about the session they share.
func (r *registrations) each(tell func(*notifier)) {
	r.mu.Lock()
	notifiers := make([]*notifier, 0, len(r.places))
	for _, p := range r.places {
		if p.kept != nil {
			notifiers = append(notifiers, p.kept.owner)
		}
	}
	r.mu.Unlock()
	for _, n := range notifiers {
		tell(n)
	}
}

// enter takes the turn at key, waiting for it until ctx ends. leave gives it back.
func (r *registrations) enter(ctx context.Context, key serviceKey) (p *place, leave func(), err error) {
	r.mu.Lock()
	p = r.places[key]
	if p == nil {
		p = &place{turn: make(chan struct{}, 1)}
		r.places[key] = p
	}
	p.users++
	r.mu.Unlock()
	quit := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		p.users--
		r.tidy(key, p)
	}
	select {
	case p.turn <- struct{}{}:
		return p, func() { <-p.turn; quit() }, nil
	case <-ctx.Done():
		quit()
		return nil, nil, ended(ctx)
	}
}

// tidy forgets a place that nobody uses. It is called with mu held.
func (r *registrations) tidy(key serviceKey, p *place) {
	if p.users == 0 && p.kept == nil {
		delete(r.places, key)
	}
}

// keep makes u what p is kept up by; nil for nothing.
func (r *registrations) keep(p *place, u *upkeep) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.kept = u
}

// kept returns what p is kept up by.
func (r *registrations) kept(p *place) *upkeep {
	r.mu.Lock()
	defer r.mu.Unlock()
	return p.kept
}

// release forgets that u keeps up its place, because another client's record stands there.
func (r *registrations) release(u *upkeep) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.places[u.key]; p != nil && p.kept == u {
		p.kept = nil
		r.tidy(u.key, p)
	}
}

// Register implements [Client].
func (c *client) Register(ctx context.Context, service *Service, onDisconnect func(error)) error {
	if err := validateRegister(service); err != nil {
		return c.wrap("Register", "", err)
	}
	key := serviceKey{service.Name, service.ID}
	stored := toDriverService(service) // a copy, taken before anything that waits
	ctx, cancel, err := c.begin(ctx)
	if err == nil {
		defer cancel()
		err = c.closing(c.registrations.register(ctx, key, stored, onDisconnect))
	}
	return c.wrap("Register", key.String(), err)
}

// register writes the record and has it kept up from then on. What was registered under the key before is updated: its
// upkeep rests meanwhile, so that no restoring of the old content can follow the write of the new one, and goes on,
// under a generation of its own, if the update fails.
func (r *registrations) register(ctx context.Context, key serviceKey, service driver.Service, onDisconnect func(error)) error {
	p, leave, err := r.enter(ctx, key)
	if err != nil {
		return err
	}
	defer leave()
	before := r.kept(p)
	if before != nil {
		before.rest()
	}
	u := newUpkeep(r, key, service, onDisconnect)
	err = u.register(ctx)
	switch {
	case err == nil:
		if before != nil {
			before.owner.end()
			u.doubts = append(u.doubts, before.doubts...)
		}
		r.keep(p, u)
		u.start()
		r.c.event(EventRegistered, key.String(), nil)
		return nil
	case before != nil && r.kept(p) == before:
		again := before.successor()
		again.doubts = append(again.doubts, u.doubts...)
		r.keep(p, again)
		again.start()
	case len(u.doubts) > 0:
		r.remove(u)
	}
	return err
}

// Deregister implements [Client].
func (c *client) Deregister(ctx context.Context, service *Service) error {
	if err := validateDeregister(service); err != nil {
		return c.wrap("Deregister", "", err)
	}
	key := serviceKey{service.Name, service.ID}
	return c.wrap("Deregister", key.String(), c.closing(c.registrations.deregister(ctx, key)))
}

// deregister drops the desire, then sees to the removal of what was desired.
//
// That happens in the background, so that it happens whatever becomes of ctx. The interleaving that this forbids: the
// user's program ends and withdraws its service with a context that has ended, too; the call fails at once, and the
// service stays registered for as long as the program takes to go.
func (r *registrations) deregister(ctx context.Context, key serviceKey) error {
	if r.c.life.Err() != nil {
		return ErrClosed
	}
	if !r.known(key) {
		return ErrNotRegistered
	}
	found := make(chan *removal, 1) // nil: there was nothing to remove
	r.c.spawn(func() { found <- r.drop(key) })
	ctx, cancel := r.c.bound(ctx)
	defer cancel()
	select {
	case m := <-found:
		if m == nil {
			return ErrNotRegistered
		}
		return m.wait(ctx)
	case <-ctx.Done():
		return fmt.Errorf("%w: not confirmed yet, it goes on in the background: %w", ErrUnavailable, ended(ctx))
	}
}

// known says whether key is registered, or is about to be.
func (r *registrations) known(key serviceKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.places[key] != nil
}

// drop waits for the turn at key and begins the removal of what is registered there; it returns nil if nothing is.
func (r *registrations) drop(key serviceKey) *removal {
	p, leave, err := r.enter(r.c.life, key)
	if err != nil {
		return nil
	}
	defer leave()
	u := r.kept(p)
	if u == nil {
		return nil
	}
	u.owner.end()
	u.rest()
	r.keep(p, nil)
	if u.displaced {
		return nil
	}
	return r.remove(u)
}

// withdraw removes everything at once, by closing the session that it lives on.
func (r *registrations) withdraw(ctx context.Context) error {
	r.each((*notifier).end)
	if err := r.sessions.close(ctx); err != nil {
		return errors.Join(errors.New("registrations are left to their time to live"), err)
	}
	return nil
}
