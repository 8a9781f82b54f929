package consul

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// Register implements [driver.Backend].
//
// An agent's acknowledgement does not make an instance visible, so Register waits until the servers show it. Nor does an
// agent ask whose record it overwrites, and another agent's cannot be overwritten at all: so every owner writes a record
// of its own, with a greater epoch than all that there were, and readers choose.
func (b *backend) Register(ctx context.Context, in *driver.RegisterRequest) (*driver.RegisterResponse, error) {
	w, unlock, err := b.begin(ctx, in.Session, &in.Instance)
	if err != nil {
		return nil, err
	}
	defer unlock()
	before, displaced := winners(w.found)[in.Instance.Service.ID], w.displace()
	stored, err := w.store(ctx)
	if err != nil {
		return nil, err
	}
	out := &driver.RegisterResponse{Revision: stored.modified}
	if before != nil && before.service != w.service {
		out.Displaced = before.instance.Owner
	}
	for _, r := range displaced {
		if r.node != stored.node { // its owner removes it, as soon as it learns that it is displaced
			continue
		}
		if err := b.oust(ctx, r); err != nil {
			b.log.Printf("reception: consul: %s, which was displaced, is left to its owner to remove: %v", r.service, err)
		}
	}
	return out, nil
}

// displace chooses an epoch that is greater than those of all records there were, and returns those of other owners that
// there are.
func (w *writing) displace() (displaced []*record) {
	w.epoch = max(w.epoch, w.index)
	for _, r := range w.found {
		switch {
		case r.service == w.service:
			w.epoch = max(w.epoch, r.epoch)
		case !r.foreign():
			displaced = append(displaced, r)
			w.epoch = max(w.epoch, r.epoch+1)
		}
	}
	return displaced
}

// oust removes a record of another owner's that was displaced. One that its owner has written again meanwhile, because it
// has taken over in its turn, stays.
func (b *backend) oust(ctx context.Context, r *record) error {
	present, err := b.stored(ctx, r.service)
	if err != nil || present == nil || present.Meta[metaWrite] != (mark{r.epoch, r.instance.Generation}).String() {
		return err
	}
	return b.take(ctx, r.service)
}

// Restore implements [driver.Backend].
func (b *backend) Restore(ctx context.Context, in *driver.RestoreRequest) (*driver.RestoreResponse, error) {
	w, unlock, err := b.begin(ctx, in.Session, &in.Instance)
	if err != nil {
		return nil, err
	}
	defer unlock()
	w.restores = true
	own := w.own()
	if own != nil {
		w.epoch = max(w.epoch, own.epoch)
	}
	if slices.ContainsFunc(w.found, w.yieldsTo) {
		if own != nil { // it would come back into the lists when the other one goes
			err = b.remove(ctx, w.service)
		}
		if err == nil {
			err = driver.ErrReplaced
		}
		return nil, err
	}
	switch {
	case own != nil && own.instance.Generation > in.Instance.Generation:
		return nil, driver.ErrReplaced
	case own != nil && own.instance.Generation == in.Instance.Generation && own.instance.Session == in.Session:
		if !own.alive {
			err = b.inspect(ctx, w.session)
		}
	default:
		own, err = w.store(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &driver.RestoreResponse{Revision: own.modified}, nil
}

// A writing is one instance that is about to be stored.
type writing struct {
	b        *backend
	session  *session
	instance *driver.Instance
	service  string    // Consul's ID of it
	epoch    uint64    // 0 as long as it was never stored
	found    []*record // the records of this instance that there are
	index    uint64    // of what was found
	restores bool      // it is enough that the record is there, where it cannot pass for the moment
}

// begin reads what there is of an instance, and lets nobody else of this client write it until unlock is called.
func (b *backend) begin(
	ctx context.Context, id driver.SessionID, i *driver.Instance,
) (w *writing, unlock func(), err error) {
	s, err := b.session(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	w = &writing{b: b, session: s, instance: i, service: serviceID(i.Service.Name, i.Service.ID, i.Owner)}
	unlock, err = b.claim(ctx, w.service)
	if err != nil {
		return nil, nil, err
	}
	w.epoch = b.homes.get(w.service).epoch
	w.found, w.index, err = b.find(ctx, i.Service.Name, i.Service.ID, 0)
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return w, unlock, nil
}

// claim waits until this client writes a service nowhere else, and not too many at all.
func (b *backend) claim(ctx context.Context, service string) (unlock func(), err error) {
	free, err := b.writes.lock(ctx, service)
	if err != nil {
		return nil, err
	}
	leave, err := b.enter(ctx)
	if err != nil {
		free()
		return nil, err
	}
	return func() { leave(); free() }, nil
}

// own returns the record that this owner has of the instance, nil if there is none.
func (w *writing) own() *record {
	for _, r := range w.found {
		if r.service == w.service {
			return r
		}
	}
	return nil
}

// yieldsTo says whether a record of another owner stands, so that this one's must not be restored.
func (w *writing) yieldsTo(r *record) bool {
	mine := &record{
		instance: &driver.Instance{Owner: w.instance.Owner, Generation: w.instance.Generation},
		epoch:    w.epoch, alive: true,
	}
	return r.service != w.service && !r.foreign() && r.alive && r.outranks(mine)
}

// store writes the instance and waits until readers see it.
func (w *writing) store(ctx context.Context) (*record, error) {
	w.epoch = max(w.epoch, 1)
	before, err := w.put(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := w.await(ctx)
	if err != nil && w.session.life.Err() != nil && w.b.life.Err() == nil {
		return nil, w.undo(ctx, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the agent has it, and the servers do not show it yet: %w",
			driver.ErrOutcomeUnknown, err)
	}
	if before.session != w.session.id { // in the background, because the record is there and whoever waits may know
		w.b.spawn(func() { w.b.outlive(w.b.life, before.session) })
	}
	return stored, nil
}

// put hands the instance to the agent, and returns where it lived before. Where it lives is noted before that, so that the
// end of the session finds it, also if the answer is lost and the agent gets it later.
func (w *writing) put(ctx context.Context) (before home, err error) {
	before = w.b.homes.get(w.service)
	w.b.homes.set(w.service, home{session: w.session.id, epoch: w.epoch, doubt: true})
	err = w.b.put(ctx, w.registration())
	switch {
	case err == nil:
		w.b.homes.set(w.service, home{session: w.session.id, epoch: w.epoch})
	case errors.Is(err, driver.ErrOutcomeUnknown):
	case before == home{}:
		w.b.homes.remove(w.service)
	default:
		w.b.homes.set(w.service, before)
	}
	return before, err
}

// undo removes what was stored on a session that has ended meanwhile, and would take it along as soon as the agent knows
// of both. What is restored on the next session is so under the same epoch.
func (w *writing) undo(ctx context.Context, cause error) error {
	if err := w.b.remove(ctx, w.service); err != nil {
		return fmt.Errorf("%w: stored on a session that has ended: %w", driver.ErrOutcomeUnknown, err)
	}
	if w.restores {
		w.b.homes.set(w.service, home{epoch: w.epoch})
	}
	return fmt.Errorf("%w: %w", driver.ErrSessionExpired, cause)
}

// remove removes an instance of this client's from the agent.
func (b *backend) remove(ctx context.Context, service string) error {
	if err := b.take(ctx, service); err != nil {
		return err
	}
	b.forget(service)
	return nil
}

// forget notes that an instance of this client's lives nowhere.
func (b *backend) forget(service string) {
	before := b.homes.get(service)
	b.homes.remove(service)
	b.spawn(func() { b.outlive(b.life, before.session) })
}

// registration is the instance as the agent takes it.
func (w *writing) registration() *api.AgentServiceRegistration {
	service := &w.instance.Service
	return &api.AgentServiceRegistration{
		ID: w.service, Name: service.Name, Address: service.Address, Port: service.Port,
		Meta: makeMeta(w.instance, w.session.id, w.epoch),
		Check: &api.AgentServiceCheck{
			CheckID: checkOf(w.service, w.session.id), Name: "session of a client of reception",
			AliasService: helperID(w.session.id), Status: w.b.initialStatus(),
			DeregisterCriticalServiceAfter: w.b.settings.deregister.String(),
		},
	}
}

// initialStatus is the status that checks begin with: that of the helpers'.
func (b *backend) initialStatus() string {
	if b.checks != nil && !b.checks.trusted() {
		return api.HealthCritical
	}
	return api.HealthPassing
}

// await waits until the servers show what was written, and show it to be alive, unless it cannot be for the moment.
func (w *writing) await(ctx context.Context) (*record, error) {
	limited, cancel := context.WithTimeoutCause(ctx, w.b.settings.operation, lateError(w.b.settings.operation))
	defer cancel()
	for {
		own := w.own()
		if own != nil && own.instance.Generation == w.instance.Generation && own.instance.Session == w.session.id {
			if own.alive || w.restores && w.b.initialStatus() != api.HealthPassing {
				return own, nil
			}
			if err := w.b.inspectStored(limited, w.session); err != nil {
				return nil, err
			}
		}
		var err error
		w.found, w.index, err = w.b.find(limited, w.instance.Service.Name, w.instance.Service.ID, w.index)
		if err != nil {
			if limited.Err() != nil && ctx.Err() == nil {
				err = context.Cause(limited)
			}
			return nil, err
		}
	}
}

// inspectStored finds out why an instance does not pass: because its session has gone.
func (b *backend) inspectStored(ctx context.Context, s *session) error {
	if _, err := b.session(ctx, s.id); err != nil {
		return err
	}
	if err := b.inspect(ctx, s); err != nil {
		return err
	}
	return b.beat(ctx, s)
}

// Deregister implements [driver.Backend]. The record is the owner's alone, so nobody else's is at risk; and no other
// write of this client comes between what is read and what is removed.
func (b *backend) Deregister(ctx context.Context, in *driver.DeregisterRequest) (*driver.DeregisterResponse, error) {
	service := serviceID(in.Name, in.ID, in.Owner)
	unlock, err := b.claim(ctx, service)
	if err != nil {
		return nil, err
	}
	defer unlock()
	present, err := b.stored(ctx, service)
	if err != nil {
		return nil, err
	}
	if present != nil {
		m, err := parseMark(present.Meta[metaWrite])
		if err != nil || m.generation > in.Generation {
			return &driver.DeregisterResponse{}, nil
		}
		if err := b.remove(ctx, service); err != nil {
			return nil, err
		}
	} else if !b.homes.get(service).doubt { // or else it may be there yet
		b.forget(service)
	}
	if err := b.awaitAbsence(ctx, in, service); err != nil {
		if present != nil && !errors.Is(err, driver.ErrOutcomeUnknown) {
			err = fmt.Errorf("%w: the agent has removed it, and nobody knows what the servers show: %w",
				driver.ErrOutcomeUnknown, err)
		}
		return nil, err
	}
	return &driver.DeregisterResponse{Removed: present != nil}, nil
}

// stored returns a service as the agent has it, nil if it has none of that ID.
func (b *backend) stored(ctx context.Context, service string) (present *api.AgentService, err error) {
	err = b.read(ctx, func(ctx context.Context) (err error) {
		present, _, err = b.client.Agent().Service(service, options(ctx))
		if unknown(err) {
			present, err = nil, nil
		}
		return err
	})
	return present, err
}

// awaitAbsence waits until the servers do not show a service any more.
func (b *backend) awaitAbsence(ctx context.Context, in *driver.DeregisterRequest, service string) error {
	limited, cancel := context.WithTimeoutCause(ctx, b.settings.operation, lateError(b.settings.operation))
	defer cancel()
	index := uint64(0)
	for {
		found, next, err := b.find(limited, in.Name, in.ID, index)
		if err != nil {
			if limited.Err() != nil && ctx.Err() == nil {
				err = fmt.Errorf("%w: the agent has removed it, and the servers still show it: %w",
					driver.ErrOutcomeUnknown, context.Cause(limited))
			}
			return err
		}
		w := writing{service: service, found: found}
		if w.own() == nil {
			return nil
		}
		index = next
	}
}
