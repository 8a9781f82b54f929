package reception

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/go-reception/sdk/reception/driver"
)

// An upkeep keeps one record as it was registered: it restores what was lost, removed or overwritten by an older write
// of ours, through every outage, and stops when another client's record stands.
//
// Restore is the judge of what stands, never the watch. The interleaving that this forbids: this client takes a record
// over and opens its watch at a server that has not seen that yet; the watch shows the record of the client that was
// displaced, and who trusts it gives up a registration that has just won.
type upkeep struct {
	r        *registrations
	key      serviceKey
	instance driver.Instance
	owner    *notifier

	cancel context.CancelFunc // of the running upkeep; nil before start
	done   chan struct{}

	// Touched by the running upkeep only, and by others once it rests:
	on    *session // where the record was last stored; nil before that
	doubt *session // on which a write of unknown outcome may yet land; nil for none
}

func newUpkeep(r *registrations, key serviceKey, service driver.Service, onDisconnect func(error)) *upkeep {
	return &upkeep{
		r: r, key: key,
		instance: driver.Instance{Service: service, Owner: r.c.owner, Generation: r.generation.Add(1)},
		owner:    &notifier{c: r.c, name: key.String(), call: onDisconnect},
	}
}

// successor returns an upkeep of the same content under a newer generation, which it stores first: an update that failed
// may have landed.
func (u *upkeep) successor() *upkeep {
	next := &upkeep{r: u.r, key: u.key, instance: u.instance, owner: u.owner}
	next.instance.Generation = u.r.generation.Add(1)
	return next
}

// register stores the record whoever holds it.
func (u *upkeep) register(ctx context.Context) error {
	return u.write(ctx, false, func(s *session) error {
		mark := u.r.c.shelves.mark(u.key.name)
		stored, err := u.r.c.backend.Register(ctx, &driver.RegisterRequest{Session: s.id, Instance: u.instance})
		if err != nil {
			return err
		}
		mark.wrote(stored.Revision)
		return nil
	})
}

// write stores the record on the current session, and on the next one where that turns out to be gone. It waits for a
// session as sessionKeeper.await does.
func (u *upkeep) write(ctx context.Context, patient bool, store func(*session) error) error {
	retry := u.r.c.retrier()
	for losses := 0; ; losses++ {
		if losses > 1 { // a backend that drops every session is not to be asked without a pause
			if err := pause(ctx, retry.NextBackOff()); err != nil {
				return err
			}
		}
		s, err := u.r.sessions.await(ctx, patient)
		if err != nil {
			return err
		}
		err = store(s)
		u.note(s, err)
		if !errors.Is(err, ErrSessionExpired) {
			return err
		}
		if err := s.lose(ctx, err); err != nil {
			return err
		}
	}
}

// note remembers what a write on s that ended with err means. On a session that has gone no write can land any more, so
// there is doubt about one at the most.
func (u *upkeep) note(s *session, err error) {
	if err == nil {
		u.on = s
	}
	if errors.Is(err, ErrOutcomeUnknown) {
		u.doubt = s
	}
}

// start has the record kept up in the background.
func (u *upkeep) start() {
	ctx, cancel := context.WithCancel(u.r.c.life)
	u.cancel, u.done = cancel, make(chan struct{})
	if !u.r.c.spawn(func() { u.run(ctx) }) {
		close(u.done)
	}
}

// rest stops the upkeep and returns when it writes nothing any more.
func (u *upkeep) rest() {
	u.cancel()
	<-u.done
}

// run keeps the record up until ctx ends or another client's stands.
func (u *upkeep) run(ctx context.Context) {
	defer close(u.done)
	retry := u.r.c.retrier()
	for {
		news := u.r.sessions.news() // from before the attempt, so that none of it is missed
		err := u.follow(ctx, retry)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrReplaced):
			u.giveUp()
			return
		}
		u.r.c.retrying("keeping up "+u.key.String(), err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(retry.NextBackOff()):
		case <-news:
			// The waits that have grown in a long outage are no reason to sleep through its end.
			retry.Reset()
		}
	}
}

// giveUp ends the registration, because another client's record stands. A write of ours that may yet land would take that
// record over, and its owner would give up, too; so it is removed when it does.
func (u *upkeep) giveUp() {
	u.r.release(u)
	u.owner.replaced()
	u.r.c.event(EventReplaced, u.key.String(), nil)
	if u.doubt != nil {
		u.r.remove(u)
	}
}

// follow watches the record and restores it whenever it is not as it should be, until an attempt at either fails. As long
// as the watch has not shown what was restored, that is asked for again, after longer and longer waits.
//
// The interleaving that this forbids: the watch has told that the record is gone; it is restored, and removed again before
// the watch has told of either. Nothing is left to tell then, and who waits for the watch alone waits for ever.
func (u *upkeep) follow(ctx context.Context, retry *backoff.ExponentialBackOff) error {
	if u.on == nil || u.on.gone.Err() != nil {
		if err := u.restore(ctx); err != nil {
			return err
		}
	}
	stream, err := u.r.c.backend.OpenWatchRegistration(ctx,
		&driver.WatchRegistrationRequest{Name: u.key.name, ID: u.key.id})
	if err != nil {
		return err
	}
	defer stream.Close()
	var present *driver.Instance
	patience := forever // for the first batch, which every stream owes
	for {
		present, err = u.next(ctx, stream, present, patience)
		if err != nil {
			return err
		}
		if u.on.gone.Err() != nil || !u.matches(present) {
			if err := u.restore(ctx); err != nil {
				return err
			}
		}
		if u.matches(present) {
			patience = forever
			retry.Reset()
		} else {
			patience = max(unseen, retry.NextBackOff())
		}
	}
}

const (
	// unseen is how long at the least a watch is given to show what was restored.
	unseen = time.Second
	// forever is a wait without an end.
	forever = time.Duration(math.MaxInt64)
)

// next returns the record as the stream's next batch leaves it; or as it was, if the session goes before that, or patience
// is at its end.
func (u *upkeep) next(
	ctx context.Context, stream driver.InstanceStream, present *driver.Instance, patience time.Duration,
) (*driver.Instance, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(u.on.gone, cancel)()
	if patience < forever {
		defer time.AfterFunc(patience, cancel).Stop()
	}
	batch, err := stream.Next(waiting)
	if err != nil {
		if waiting.Err() != nil && errors.Is(err, context.Canceled) {
			return present, ctx.Err()
		}
		return nil, err
	}
	if batch.Reset {
		present = nil
	}
	for _, change := range batch.Changes {
		present = change.Record
		if change.Deleted {
			present = nil
		}
	}
	return present, nil
}

// matches says whether present is the record as it was last written.
func (u *upkeep) matches(present *driver.Instance) bool {
	return present != nil && present.Owner == u.instance.Owner && present.Generation == u.instance.Generation
}

// restore stores the record where it is absent or an older one of ours.
func (u *upkeep) restore(ctx context.Context) error {
	err := u.write(ctx, true, func(s *session) error {
		return attempt(ctx, func(ctx context.Context) error {
			mark := u.r.c.shelves.mark(u.key.name)
			stored, err := u.r.c.backend.Restore(ctx, &driver.RestoreRequest{Session: s.id, Instance: u.instance})
			if err == nil {
				mark.wrote(stored.Revision)
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	u.r.restored(u)
	u.r.c.event(EventRestored, u.key.String(), nil)
	return nil
}
