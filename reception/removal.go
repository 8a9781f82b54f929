package reception

import (
	"context"
	"errors"

	"github.com/go-reception/sdk/reception/driver"
)

// A removal takes away what this client has stored under one key, for as long as that takes.
//
// A write of unknown outcome may land after the record was removed. So where there was one, the removal goes on watching
// the place until the session is gone on which that write was sent, and removes what shows up: a dead session takes no
// writes. It touches no record of a later generation, so that a new registration of the same instance is safe from it.
//
// There is one for a key, however many registrations have to be removed there.
type removal struct {
	r    *registrations
	key  serviceKey
	more chan struct{} // one slot: there is more to remove than there was

	// Guarded by registrations.mu:
	generation uint64   // the latest to remove
	doubt      *session // nil for none
	pursuit    *pursuit // of the removal up to generation
	confirmed  bool     // that removal: pursuit is done, or about to be
}

// errMore says that there is more to remove than was asked for.
var errMore = errors.New("a later record is to be removed, too")

// remove begins the removal of what u has stored, or may have, and returns what pursues it.
func (r *registrations) remove(u *upkeep) *pursuit {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.removals[u.key]
	if m == nil {
		m = &removal{r: r, key: u.key, more: make(chan struct{}, 1), pursuit: newPursuit()}
		r.removals[u.key] = m
		r.c.spawn(m.run)
	}
	m.generation = max(m.generation, u.instance.Generation)
	if u.doubt != nil {
		m.doubt = u.doubt
	}
	if m.confirmed { // or else it does not succeed before it has asked for this, too
		m.confirmed = false
		m.pursuit = newPursuit()
		signal(m.more)
	}
	return m.pursuit
}

// run removes the record, and guards its place while there is doubt, until there is nothing left to do.
func (m *removal) run() {
	for {
		pursuit, doubt := m.next()
		switch {
		case pursuit != nil:
			if !pursuit.run(m.r.c.life, m.r.c.retrier(), m.once) {
				return
			}
		case doubt != nil:
			m.guard(doubt)
			if m.r.c.life.Err() != nil {
				return
			}
		default:
			return
		}
	}
}

// next returns what is to be done next: pursue the removal, or guard the place on account of a session. With neither the
// removal is over, and r knows of it no more.
func (m *removal) next() (*pursuit, *session) {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	if !m.confirmed {
		return m.pursuit, nil
	}
	if m.doubt != nil && m.doubt.gone.Err() == nil {
		return nil, m.doubt
	}
	delete(m.r.removals, m.key)
	return nil, nil
}

// latest returns the latest generation to remove.
func (m *removal) latest() uint64 {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	return m.generation
}

// once asks the backend to remove the record, and notes that it has.
func (m *removal) once(ctx context.Context) error {
	generation := m.latest()
	if err := m.deregister(ctx, generation); err != nil {
		return err
	}
	return m.confirm(generation)
}

// confirm notes that everything up to generation is removed; it fails if there is more to remove by now. The interleaving
// that this forbids: the answer is found to be about all there is, a later record is to be removed and its owner joins the
// pursuit, and the pursuit is done.
func (m *removal) confirm(generation uint64) error {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	if m.generation != generation {
		return errMore
	}
	m.confirmed = true
	return nil
}

// deregister asks the backend to remove the record if it is not of a later generation.
func (m *removal) deregister(ctx context.Context, generation uint64) error {
	c := m.r.c
	mark := c.shelves.mark(m.key.name)
	removed, err := c.backend.Deregister(ctx, &driver.DeregisterRequest{
		Name: m.key.name, ID: m.key.id, Owner: c.owner, Generation: generation,
	})
	if err != nil {
		return err
	}
	mark.wrote(0) // even if it was not there: the watch may yet show what somebody else has removed
	if removed.Removed {
		c.event(EventDeregistered, m.key.String(), nil)
	}
	return nil
}

// guard removes what shows up until s is gone, there is more to remove, or the client's life ends.
func (m *removal) guard(s *session) {
	c := m.r.c
	ctx, cancel := context.WithCancel(c.life)
	defer context.AfterFunc(s.gone, cancel)()
	over := make(chan struct{})
	defer func() {
		cancel()
		<-over
	}()
	go func() {
		defer close(over)
		select {
		case <-m.more:
			cancel()
		case <-ctx.Done():
		}
	}()
	retry := c.retrier()
	for ctx.Err() == nil {
		err := m.watch(ctx)
		if ctx.Err() == nil {
			c.retrying("guarding "+m.key.String(), err)
			_ = pause(ctx, retry.NextBackOff()) // the loop's condition sees how it ended
		}
	}
}

// watch follows the place and removes what shows up there.
func (m *removal) watch(ctx context.Context) error {
	stream, err := m.r.c.backend.OpenWatchRegistration(ctx,
		&driver.WatchRegistrationRequest{Name: m.key.name, ID: m.key.id})
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		batch, err := stream.Next(ctx)
		if err != nil {
			return err
		}
		for _, change := range batch.Changes {
			late := change.Record
			if late == nil || change.Deleted || late.Owner != m.r.c.owner || late.Generation > m.latest() {
				continue
			}
			err := attempt(ctx, func(ctx context.Context) error { return m.deregister(ctx, m.latest()) })
			if err != nil {
				return err
			}
		}
	}
}
