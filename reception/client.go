package reception

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/reception/driver"
)

// closeLimit is about how long Close takes at the most. What it has not withdrawn by then is left to its time to live.
const closeLimit = 4500 * time.Millisecond

// closeParallel is how many sessions Close closes at a time.
const closeParallel = 64

// attemptLimit is how long one attempt at something may take that is tried again until it succeeds. A connection that
// swallows a request must not swallow the whole endeavour.
const attemptLimit = 10 * time.Second

// client is the one Client. It owns every goroutine that it starts and every session that it opens; the parts below
// are each in the file of their name.
type client struct {
	backend driver.Backend
	// inspector is the backend as it was given, if it has that ability; nil if not.
	inspector driver.Inspector
	witness   driver.Witness // likewise
	owner     string         // the UUID in every record of ours
	log       Logger
	options   options

	// life ends, with ErrClosed as its cause, when Close begins; every wait of the client ends with it.
	life context.Context
	end  context.CancelCauseFunc

	mu     sync.Mutex
	closed chan struct{}  // made by the first Close, closed when it is done; nil before that
	tasks  sync.WaitGroup // what Close joins: our goroutines, and users' calls

	registrations *registrations
	campaigns     *campaigns
	services      *serviceWatches
	shelves       shelves
	leaders       *leaderWatches
}

// NewClient returns a Client over backend, which it owns from then on: Close closes it. It does not wait for the
// backend. It panics if an option is out of its documented range, or backend is nil.
func NewClient(backend driver.Backend, opts ...Option) Client {
	if backend == nil {
		panic("reception: NewClient: backend is nil")
	}
	c := &client{owner: uuid.NewString(), options: makeOptions(opts)}
	c.log = c.options.logger
	c.backend = backend
	c.inspector, _ = backend.(driver.Inspector)
	c.witness, _ = backend.(driver.Witness)
	if c.options.observer != nil {
		c.backend = driver.Intercept(backend, observe(c.options.observer))
	}
	c.life, c.end = context.WithCancelCause(context.Background())
	c.registrations = newRegistrations(c)
	c.campaigns = newCampaigns(c)
	c.services = newServiceWatches(c)
	c.shelves.by = make(map[string]*shelf)
	c.leaders = newLeaderWatches(c)
	return c
}

// Close implements [Client]. All but the first call wait for the first, on a channel: a lock would be held for as long
// as the first one takes.
func (c *client) Close() error {
	c.mu.Lock()
	done, first := c.closed, c.closed == nil
	if first {
		done = make(chan struct{})
		c.closed = done
	}
	c.mu.Unlock()
	if !first {
		<-done
		return nil
	}
	defer close(done)
	return c.wrap("Close", "", c.shutDown())
}

// shutDown does the work of Close. What a user's callback runs on is not waited for, because the callback may be what
// calls Close: such a goroutine ends when the callback returns.
//
// The order matters. Terms end here before anything is sent, so that nobody else can lead while Held is true. Then life
// ends, which stops everything that might write again; only when all of that has returned are the sessions closed, so
// that no write of ours can follow the removal.
func (c *client) shutDown() error {
	const joinLimit, withdrawLimit = closeLimit * 2 / 5, closeLimit * 2 / 5
	c.campaigns.depose(ErrClosed)
	c.end(ErrClosed)
	c.registrations.each((*notifier).end)
	return errors.Join(
		within(joinLimit, "calls that are under way", func(context.Context) error {
			c.tasks.Wait()
			return nil
		}),
		within(withdrawLimit, "sessions to close", c.withdraw),
		within(closeLimit-joinLimit-withdrawLimit, "the backend to close", func(context.Context) error { return c.backend.Close() }),
	)
}

// withdraw closes all sessions side by side, so that a slow one does not cost the others their time, and with them
// removes everything that lives on them.
func (c *client) withdraw(ctx context.Context) error {
	sessions := c.campaigns.sessions()
	if id, open := c.registrations.sessions.open(); open {
		sessions = append(sessions, id)
	}
	errs := make([]error, len(sessions))
	var closing errgroup.Group
	closing.SetLimit(closeParallel)
	for i, id := range sessions {
		closing.Go(func() error {
			errs[i] = c.persist(ctx, "closing a session", func(ctx context.Context) error { return c.closeSession(ctx, id) })
			return nil // the group would keep the first one only
		})
	}
	_ = closing.Wait() // see errs
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("what lives on a session is left to its time to live: %w", err)
	}
	return nil
}

// closeSession closes a session. One that has gone is closed.
func (c *client) closeSession(ctx context.Context, id driver.SessionID) error {
	_, err := c.backend.CloseSession(ctx, &driver.CloseSessionRequest{Session: id})
	if errors.Is(err, ErrSessionExpired) {
		return nil
	}
	return err
}

// within gives f so long and no longer, whether or not it heeds its context.
func within(d time.Duration, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	grace := time.NewTimer(d + d/10) // for f to say itself what it did not get done
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-grace.C:
		return errors.New("gave up waiting for " + what)
	}
}

// persist repeats step, with pauses, until it succeeds, ctx ends, or the answer is one that repeating does not change. It
// returns the last failure, with why ctx has ended if it has.
func (c *client) persist(ctx context.Context, what string, step func(context.Context) error) error {
	retry := c.retrier()
	for {
		err := step(ctx)
		if err == nil || lasting(err) || errors.Is(err, ErrPermission) {
			return err
		}
		if ctx.Err() == nil {
			c.retrying(what, err)
			if pause(ctx, retry.NextBackOff()) == nil {
				continue
			}
		}
		return fmt.Errorf("%w: %w", ended(ctx), err)
	}
}

// retrying tells the log what is going to be tried again.
func (c *client) retrying(what string, err error) {
	c.log.Printf("reception: %s on %s is tried again: %v", what, c.backend.Name(), err)
}

// attempt makes one try at something that is tried again if it fails. That its time was up says that the backend did not
// answer: it is not the end of a context that a user knows of.
func attempt(ctx context.Context, try func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	err := try(limited)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("%w: no answer within %v: %w", ErrUnavailable, attemptLimit, err)
	}
	return err
}

// spawn runs task on a goroutine that Close joins. It reports false, and runs nothing, once the client is closed.
func (c *client) spawn(task func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed != nil {
		return false
	}
	c.tasks.Go(task)
	return true
}

// begin returns the context of a call that a user makes, bound to the client's life; Close waits until it is cancelled.
// It fails at once where the client is closed or ctx has ended.
func (c *client) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed != nil:
		return nil, nil, ErrClosed
	case ctx.Err() != nil:
		return nil, nil, ended(ctx)
	}
	c.tasks.Add(1)
	bound, cancel := c.bound(ctx)
	return bound, sync.OnceFunc(func() {
		cancel()
		c.tasks.Done()
	}), nil
}

// bound returns a context that ends with ctx and with the client's life.
func (c *client) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	merged, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.life, func() { cancel(ErrClosed) })
	return merged, func() { stop(); cancel(nil) }
}

// closing is what err means to a user once the client is closed: what the end of its life did to a call is ErrClosed, not
// just an error of a context that the user has never seen.
func (c *client) closing(err error) error {
	switch {
	case err == nil, c.life.Err() == nil:
		return err
	case errors.Is(err, ErrOutcomeUnknown):
		return fmt.Errorf("%w: %w", ErrClosed, ErrOutcomeUnknown)
	case errors.Is(err, context.Canceled):
		return ErrClosed
	case errors.Is(err, ErrClosed):
		return err
	}
	return fmt.Errorf("%w: %w", ErrClosed, err)
}

// retrier returns the waits between the attempts of one endeavour: exponential and jittered, without an end.
func (c *client) retrier() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = c.options.backoff.initial, c.options.backoff.longest
	b.Reset()
	return b
}

// ended returns why ctx has ended: its error, and its cause where that says more.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// pause waits for d; it returns why ctx has ended if that comes first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
