package reception

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"

	"github.com/go-reception/sdk/reception/driver"
)

// closeLimit is how long Close works on withdrawing things before it leaves the rest to their TTL.
const closeLimit = 5 * time.Second

// client is the one Client. It owns every goroutine that it starts and every session that it opens; the parts below
// are each in the file of their name.
type client struct {
	backend driver.Backend
	owner   string // the UUID in every record of ours
	log     Logger
	options options

	// life ends, with ErrClosed as its cause, when Close begins; every wait of the client ends with it.
	life context.Context
	end  context.CancelCauseFunc
	// close does Close's work once.
	close func() error

	mu     sync.Mutex
	closed bool           // no goroutine may be added
	tasks  sync.WaitGroup // the goroutines that Close joins

	registrations *registrations
	campaigns     *campaigns
	services      *serviceWatches
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
	if c.options.observer != nil {
		c.backend = driver.Intercept(backend, observe(c.options.observer))
	}
	c.life, c.end = context.WithCancelCause(context.Background())
	c.registrations = newRegistrations(c)
	c.campaigns = newCampaigns(c)
	c.services = newServiceWatches(c)
	c.leaders = newLeaderWatches(c)
	c.close = sync.OnceValue(c.shutDown)
	return c
}

// Close implements [Client].
func (c *client) Close() error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	err := c.close()
	if !first {
		return nil
	}
	return err
}

// shutDown does the work of Close. What a user's callback runs on is not waited for, because the callback may be what
// calls Close: such a goroutine ends when the callback returns.
//
// The order matters. Terms end here before anything is sent, so that nobody else can lead while Held is true. Then life
// ends, which stops everything that might write again; only when all of that has returned are the sessions closed, so
// that no write of ours can follow the removal.
func (c *client) shutDown() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	c.campaigns.depose(ErrClosed)
	c.end(ErrClosed)
	joined := make(chan struct{})
	go func() {
		c.tasks.Wait()
		close(joined)
	}()
	var errs []error
	select {
	case <-joined:
	case <-ctx.Done():
		errs = append(errs, errors.New("gave up waiting for calls that the backend does not end"))
	}
	errs = append(errs, c.registrations.withdraw(ctx), c.campaigns.withdraw(ctx), c.backend.Close())
	return c.wrap("Close", "", errors.Join(errs...))
}

// spawn runs task on a goroutine that Close joins. It reports false, and runs nothing, once the client is closed.
func (c *client) spawn(task func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.tasks.Go(task)
	return true
}

// begin returns the context of a call that a user makes, bound to the client's life. It fails at once where either has
// ended already.
func (c *client) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if c.life.Err() != nil {
		return nil, nil, ErrClosed
	}
	if ctx.Err() != nil {
		return nil, nil, ended(ctx)
	}
	bound, cancel := c.bound(ctx)
	return bound, cancel, nil
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
	case err == nil, c.life.Err() == nil, errors.Is(err, ErrClosed):
		return err
	case errors.Is(err, ErrOutcomeUnknown):
		return fmt.Errorf("%w: %w", ErrClosed, ErrOutcomeUnknown)
	case errors.Is(err, context.Canceled):
		return ErrClosed
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

// ended returns why ctx has ended: its error, and its cause where that says more. The end of the client is ErrClosed and
// nothing else.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) || errors.Is(cause, ErrClosed) {
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
