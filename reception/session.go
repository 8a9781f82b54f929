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
	c       *client
	lapsed  func() // the horizon has passed: records are in question
	regain  func() // confirmed again
	expired func() // the session and its records are gone

	mu      sync.Mutex
	started bool
	current *session      // nil while there is none
	failure error         // of the newest attempt, nil after a success
	changed chan struct{} // closed and renewed when current or failure changes
	waiting int           // how many need a session now
	demand  chan struct{} // one slot: somebody has begun to wait
}

func newSessionKeeper(c *client, lapsed, regain, expired func()) *sessionKeeper {
	return &sessionKeeper{
		c: c, lapsed: lapsed, regain: regain, expired: expired,
		changed: make(chan struct{}), demand: make(chan struct{}, 1),
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
	k.signal()
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

// signal asks for an attempt now, even if one is due only after a pause.
func (k *sessionKeeper) signal() {
	select {
	case k.demand <- struct{}{}:
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
		s, err := k.open(life)
		if err != nil {
			if life.Err() != nil {
				return
			}
			k.set(nil, err)
			if !k.pause(retry.NextBackOff()) {
				return
			}
			continue
		}
		retry.Reset()
		k.c.event(EventSessionOpened, string(s.id), nil)
		k.set(s, nil)
		err = s.renewal.run(s.renewed, k.lapsed, k.regain)
		if life.Err() != nil {
			return // the session stays current, for Close to close it
		}
		s.condemn(err)
		k.set(nil, nil)
		s.drop() // after that, so that who has waited for it does not find s again
		k.c.event(EventSessionLost, string(s.id), err)
		k.expired()
	}
}

// pause waits for d, or until somebody new wants a session. It reports false when life has ended.
func (k *sessionKeeper) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.demand:
	case <-k.c.life.Done():
		return false
	}
	return true
}

// open asks the backend for a session once.
func (k *sessionKeeper) open(ctx context.Context) (*session, error) {
	sent := time.Now()
	opened, err := k.c.backend.OpenSession(ctx, &driver.OpenSessionRequest{})
	if err != nil {
		return nil, err
	}
	s := &session{id: opened.Session, renewal: newRenewal(sent, opened, k.c.renewing(opened.Session))}
	s.renewed, s.condemn = context.WithCancelCause(ctx)
	s.gone, s.drop = context.WithCancel(context.WithoutCancel(ctx))
	return s, nil
}

// renewing returns what keeps the session id alive.
func (c *client) renewing(id driver.SessionID) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		renewed, err := c.backend.RenewSession(ctx, &driver.RenewSessionRequest{Session: id})
		if err != nil {
			return 0, err
		}
		return renewed.GoodFor, nil
	}
}

// lose has the keeper give s up, because the backend has told somebody who needed it that it is gone, and waits for that
// until ctx ends. Whoever needs a session for a write knows better than its renewal, which may be confirmed by a server
// that has not heard yet.
func (s *session) lose(ctx context.Context) error {
	s.condemn(ErrSessionExpired)
	select {
	case <-s.gone.Done():
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// close closes the session, and with it removes every record that lives on it. It is called when nothing else of the
// client runs any more.
func (k *sessionKeeper) close(ctx context.Context) error {
	k.mu.Lock()
	s := k.current
	k.current = nil
	k.mu.Unlock()
	if s == nil {
		return nil
	}
	_, err := k.c.backend.CloseSession(ctx, &driver.CloseSessionRequest{Session: s.id})
	return err
}
