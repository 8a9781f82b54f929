package reception

import (
	"context"

	"github.com/go-reception/sdk/reception/driver"
)

// A removal takes away a record that is not wanted any more, for as long as that takes.
//
// A write of unknown outcome may land after the record was removed. So where there was one, the removal goes on watching
// the place until the session is gone on which that write was sent, and removes what shows up: a dead session takes no
// writes. It touches no record of a later generation, so that a new registration of the same instance is safe from it.
type removal struct {
	u *upkeep
	*pursuit
}

// remove begins the removal of what u has stored, or may have.
func (r *registrations) remove(u *upkeep) *removal {
	m := &removal{u: u, pursuit: newPursuit()}
	r.c.spawn(m.run)
	return m
}

// run removes the record, then guards its place while there is doubt.
func (m *removal) run() {
	c := m.u.r.c
	if !m.pursuit.run(c.life, c.retrier(), m.once) {
		return
	}
	c.event(EventDeregistered, m.u.key.String(), nil)
	for _, s := range m.u.doubts {
		m.guard(s)
	}
}

// once asks the backend to remove the record.
func (m *removal) once(ctx context.Context) error {
	stored := m.u.instance
	_, err := m.u.r.c.backend.Deregister(ctx, &driver.DeregisterRequest{
		Name: m.u.key.name, ID: m.u.key.id, Owner: stored.Owner, Generation: stored.Generation,
	})
	return err
}

// guard removes what shows up until s is gone or the client's life ends.
func (m *removal) guard(s *session) {
	c := m.u.r.c
	ctx, cancel := context.WithCancel(c.life)
	defer cancel()
	defer context.AfterFunc(s.gone, cancel)()
	retry := c.retrier()
	for ctx.Err() == nil {
		err := m.watch(ctx)
		if ctx.Err() == nil {
			c.log.Printf("reception: guard of %s on %s is trying again: %v", m.u.key, c.backend.Name(), err)
			_ = pause(ctx, retry.NextBackOff()) // the loop's condition sees how it ended
		}
	}
}

// watch follows the place and removes what shows up there.
func (m *removal) watch(ctx context.Context) error {
	stream, err := m.u.r.c.backend.OpenWatchRegistration(ctx,
		&driver.WatchRegistrationRequest{Name: m.u.key.name, ID: m.u.key.id})
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
			if change.Deleted || late.Owner != m.u.instance.Owner || late.Generation > m.u.instance.Generation {
				continue
			}
			if err := m.once(ctx); err != nil {
				return err
			}
		}
	}
}
