package reception

import (
	"context"
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

	mu       sync.Mutex
	places   map[serviceKey]*place
	removals map[serviceKey]*removal // those under way, or on guard
}

// A serviceKey identifies an instance in a cluster.
type serviceKey struct{ name, id string }

func (k serviceKey) String() string { return k.name + "/" + k.id }

// A place is where one (Name, ID) of this client is kept up. Calls that concern it take turns, in the order in which they
// came; between them it belongs to the upkeep. Everything in it is guarded by registrations.mu.
type place struct {
	users int           // calls that have, or wait for, the turn
	last  chan struct{} // closed when the turn of the call that came last is over; nil before the first
	kept  *upkeep       // nil while nothing is registered here
}

func newRegistrations(c *client) *registrations {
	r := &registrations{c: c, places: make(map[serviceKey]*place), removals: make(map[serviceKey]*removal)}
	r.sessions = newSessionKeeper(c,
		func(cause error) {
			c.event(EventSessionLapsed, "registrations", cause)
			r.each(func(n *notifier) { n.disconnected(cause) })
		},
		func(cause error) { r.each(func(n *notifier) { n.disconnected(cause) }) },
		func() {
			c.event(EventSessionKept, "registrations", nil)
			r.each((*notifier).regained)
			r.sessions.announce()
		},
		func(cause error) { r.each(func(n *notifier) { n.expired(cause) }) })
	return r
}

// each tells every registration something about the session they share. What tell does must not wait.
func (r *registrations) each(tell func(*notifier)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.places {
		if p.kept != nil {
			tell(p.kept.owner)
		}
	}
}

// A turn is a call's turn at a place.
type turn struct {
	r      *registrations
	key    serviceKey
	place  *place
	before chan struct{} // closed when the turn before is over; nil if there is none
	over   chan struct{}
}

// queue joins the line at key. It waits for nothing, so that what a user does first comes first, even where the waiting
// is done in the background.
//
// The interleaving that this forbids: Deregister leaves the waiting to a goroutine and returns, because its context has
// ended; a Register that is called next gets the turn before that goroutine has asked for it; and the goroutine then
// withdraws what was just registered.
func (r *registrations) queue(key serviceKey) *turn {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.places[key]
	if p == nil {
		p = &place{}
		r.places[key] = p
	}
	t := &turn{r: r, key: key, place: p, before: p.last, over: make(chan struct{})}
	p.last = t.over
	p.users++
	return t
}

// wait waits for the turn until ctx ends. Either way the turn is to be left.
func (t *turn) wait(ctx context.Context) error {
	if t.before == nil {
		return nil
	}
	select {
	case <-t.before:
		t.before = nil
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// leave ends the turn. One that has not come yet ends when it comes.
func (t *turn) leave() {
	if t.before == nil {
		t.end()
		return
	}
	t.r.c.spawn(func() { // refused once the client is closed, when nobody waits any more
		<-t.before
		t.end()
	})
}

func (t *turn) end() {
	close(t.over)
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	t.place.users--
	t.r.tidy(t.key, t.place)
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

// begin makes u, which was stored just now, what p is kept up by, in the place of before; nil for nothing. It tells the
// owner how the session is on which u was stored: readers may lose this record like all others on it.
//
// The interleaving that mu forbids, here and in each: the owner is told that the session is in question; that is over,
// which all hear that are kept, and u is not yet; and for its owner the outage never ends, so the next one is not told.
func (r *registrations) begin(p *place, u, before *upkeep) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.kept = u
	switch {
	case u.on.gone.Err() != nil:
		u.owner.expired(nil)
	case !u.on.renewal.held():
		u.owner.disconnected(nil)
	case before != nil:
		u.owner.follow(before.owner)
	}
	if before != nil {
		before.owner.end()
	}
}

// restored tells the owner of u that its record was stored again, and how the session is on which it was. What mu forbids
// is as in begin.
func (r *registrations) restored(u *upkeep) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u.owner.restored(u.on.renewal.held())
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
	t := r.queue(key)
	defer t.leave()
	if err := t.wait(ctx); err != nil {
		return err
	}
	u := newUpkeep(r, key, service, onDisconnect)
	before := r.kept(t.place)
	if before != nil {
		before.rest()
		u.doubt = before.doubt
	}
	err := u.register(ctx)
	stands := before != nil && r.kept(t.place) == before // it was not displaced meanwhile
	switch {
	case err == nil:
		r.begin(t.place, u, before)
		u.start()
		r.c.event(EventRegistered, key.String(), nil)
	case stands:
		again := before.successor()
		again.doubt = u.doubt
		r.keep(t.place, again)
		again.start()
	case u.doubt != nil:
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
	t := r.queue(key)
	found := make(chan *pursuit, 1) // nil: there was nothing to remove
	if !r.c.spawn(func() { found <- r.drop(t) }) {
		return ErrClosed
	}
	ctx, cancel := r.c.bound(ctx)
	defer cancel()
	select {
	case removed := <-found:
		if removed == nil {
			return ErrNotRegistered
		}
		return removed.wait(ctx)
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

// drop waits for the turn and begins the removal of what is registered; it returns nil if nothing is.
func (r *registrations) drop(t *turn) *pursuit {
	defer t.leave()
	if t.wait(r.c.life) != nil {
		return nil
	}
	u := r.kept(t.place)
	if u == nil {
		return nil
	}
	u.owner.end()
	u.rest()
	if r.kept(t.place) != u {
		return nil // another client's record stands
	}
	r.keep(t.place, nil)
	return r.remove(u)
}
