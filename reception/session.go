package reception

import (
	"context"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A session is the one session that all registrations of a client live on.
type session struct {
	id      driver.SessionID
	renewal *renewal
	renewed context.Context // ends when it is to be renewed no more
	condemn context.CancelCauseFunc
	gone    context.Context // ends when the keeper has given it up
	drop    context.CancelFunc
}

// sessionKeeper keeps one session open while somebody needs it, and opens the next one when the backend has dropped it.
//
// It opens on demand: a first Register that fails leaves nothing behind that would go on trying. Those who wait share
// the attempts of one goroutine, so that a thousand registrations ask a returning backend once.
type sessionKeeper struct {
	c        *client
	lapsed   func(cause error) // the horizon has passed: records are in question
	relapsed func(cause error) // so has one that it has moved on to since, without being regained
	regain   func()            // confirmed again
	expired  func(cause error) // the session and its records are gone

	mu      sync.Mutex
	started bool
	current *session      // nil while there is none
	failure error         // of the newest attempt, nil after a success
	changed chan struct{} // closed and renewed when current or failure changes
	waiting int           // how many need a session now
	demand  chan struct{} // one slot: somebody has begun to wait
	urgent  chan struct{} // one slot: somebody has begun to wait who will not for long
}

func newSessionKeeper(c *client, lapsed, relapsed func(error), regain func(), expired func(error)) *sessionKeeper {
	return &sessionKeeper{
		c: c, lapsed: lapsed, relapsed: relapsed, regain: regain, expired: expired,
		changed: make(chan struct{}), demand: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
	}
}

// await returns the current session, waiting for one until ctx ends. Unless patient it also gives up with the error of
// the next attempt that fails.
func (k *sessionKeeper) await(ctx context.Context, patient bool) (*session, error) {
	k.mu.Lock()
	if k.current != nil {
		defer k.mu.Unlock()
		return k.current, nil
	}
	k.waiting++
	k.start()
	changed := k.changed
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.waiting--
		k.mu.Unlock()
	}()
	signal(k.demand)
	if !patient {
		signal(k.urgent)
	}
	for {
		select {
		case <-ctx.Done():
			return nil, ended(ctx)
		case <-changed:
		}
		k.mu.Lock()
		current, failure := k.current, k.failure
		changed = k.changed
		k.mu.Unlock()
		if current != nil {
			return current, nil
		}
		if failure != nil && !patient {
			return nil, failure
		}
	}
}

// signal leaves a mark in a slot, if there is none.
func signal(slot chan<- struct{}) {
	select {
	case slot <- struct{}{}:
	default:
	}
}

// start starts the keeper's goroutine if it does not run. It is called with mu held.
func (k *sessionKeeper) start() {
	if !k.started {
		k.started = k.c.spawn(k.run)
	}
}

// set publishes a new session, its loss, or a failed attempt.
func (k *sessionKeeper) set(s *session, failure error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current, k.failure = s, failure
	close(k.changed)
	k.changed = make(chan struct{})
}

// announce tells those who listen to news that the backend answers again.
func (k *sessionKeeper) announce() {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.changed)
	k.changed = make(chan struct{})
}

// news returns a channel that is closed when something is heard of the backend: a session, its loss, its return, or a
// failed attempt at one. Those who wait for the backend to come back need not wait for longer than that.
func (k *sessionKeeper) news() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changed
}

// needed says whether somebody waits for a session.
func (k *sessionKeeper) needed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.waiting > 0
}

// run opens sessions as they are needed and renews each for as long as it lives.
func (k *sessionKeeper) run() {
	life := k.c.life
	retry := k.c.retrier()
	for {
		if !k.needed() {
			select {
			case <-life.Done():
				return
			case <-k.demand:
				continue
			}
		}
		s, err := k.next(life)
		if err != nil {
			if life.Err() != nil {
				return
			}
			k.set(nil, err)
			k.c.retrying("opening a session", err)
			if !k.pause(retry.NextBackOff()) {
				return
			}
			continue
		}
		k.c.event(EventSessionOpened, string(s.id), nil)
		k.set(s, nil)
		opened := time.Now()
		err = s.renewal.run(s.renewed, events{lapsed: k.lapsed, relapsed: k.relapsed, regained: k.regain})
		if life.Err() != nil {
			return // the session stays current, for Close to close it
		}
		s.condemn(err)
		k.set(nil, nil)
		s.drop() // after that, so that who has waited for it does not find s again
		k.c.event(EventSessionLost, string(s.id), err)
		k.expired(err)
		if time.Since(opened) >= s.renewal.pace() {
			retry.Reset()
		} else if !k.pause(retry.NextBackOff()) { // or a backend that drops every session is asked without end
			return
		}
	}
}

// pause waits for d, or until somebody wants a session who will not wait for long: those who keep records up come back in
// crowds after an outage, and must not hurry it. It reports false when life has ended.
func (k *sessionKeeper) pause(d time.Duration) bool {
	select {
	case <-k.urgent: // from before the attempt that has just failed
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.urgent:
	case <-k.c.life.Done():
		return false
	}
	return true
}

// next asks the backend for a session once.
func (k *sessionKeeper) next(ctx context.Context) (*session, error) {
	id, renewal, err := k.c.openSession(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{id: id, renewal: renewal}
	s.renewed, s.condemn = context.WithCancelCause(ctx)
	s.gone, s.drop = context.WithCancel(context.WithoutCancel(ctx))
	return s, nil
}

// openSession asks the backend for a session, and returns what keeps it alive.
func (c *client) openSession(ctx context.Context) (driver.SessionID, *renewal, error) {
	sent := time.Now()
	var opened *driver.OpenSessionResponse
	err := attempt(ctx, func(ctx context.Context) (err error) {
		opened, err = c.backend.OpenSession(ctx, &driver.OpenSessionRequest{})
		return err
	})
	if err != nil {
		return "", nil, err
	}
	r := newRenewal(sent, opened, func(ctx context.Context) (time.Duration, error) {
		renewed, err := c.backend.RenewSession(ctx, &driver.RenewSessionRequest{Session: opened.Session})
		if err != nil {
			return 0, err
		}
		return renewed.GoodFor, nil
	})
	r.witness = c.witness
	return opened.Session, r, nil
}

// lose has the keeper give s up, because the backend has told somebody who needed it that it is gone, and why, and waits
// for that until ctx ends. Whoever needs a session for a write knows better than its renewal, which may be confirmed by a
// server that has not heard yet.
func (s *session) lose(ctx context.Context, cause error) error {
	s.condemn(cause)
	select {
	case <-s.gone.Done():
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// open returns the session that is open now, if there is one.
func (k *sessionKeeper) open() (id driver.SessionID, open bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current == nil {
		return "", false
	}
	return k.current.id, true
}
