package consul

import (
	"context"
	"math/rand/v2"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// backend is one client's connection to an agent.
type backend struct {
	client   *api.Client
	settings *settings
	log      reception.Logger
	checks   *checkServer // nil with TTL checks

	life  context.Context // ends when Close begins
	end   context.CancelFunc
	close func() error

	mu     sync.Mutex
	closed bool           // nothing is spawned any more
	tasks  sync.WaitGroup // the goroutines that Close joins
	idle   func()         // closes connections that wait for the next request; the user's own business with New

	pulse    pulse
	sessions sessions
	crowd    chan struct{} // holds a value for each write of an instance that is under way
	homes    homes
	writes   locks[string] // by the ID of the service that is written
	parties  parties
	guards   guards
}

var _ driver.Backend = (*backend)(nil)

// newBackend returns a backend over client, which has Consul ask checks for health unless that is nil.
func newBackend(client *api.Client, s *settings, checks *checkServer) *backend {
	b := &backend{
		client: client, settings: s, log: s.logger, checks: checks, idle: func() {}, crowd: make(chan struct{}, crowdSize),
	}
	b.life, b.end = context.WithCancel(context.Background())
	b.pulse.begin(b.life)
	b.close = sync.OnceValue(b.shutDown)
	b.spawn(b.keepPulse)
	return b
}

// spawn runs task on a goroutine that Close joins. It reports false, and runs nothing, once the backend is closed.
func (b *backend) spawn(task func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.tasks.Go(task)
	return true
}

// Name implements [driver.Backend].
func (b *backend) Name() string { return "consul" }

// Close implements [driver.Backend].
func (b *backend) Close() error { return b.close() }

func (b *backend) shutDown() error {
	b.end()
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.sessions.end()
	b.tasks.Wait()
	b.idle()
	if b.checks == nil {
		return nil
	}
	return b.checks.close()
}

// crowdSize is how many instances are written, or looked for, at a time. An agent allows an address so many connections,
// 200 by default, and heartbeats are not to wait behind a thousand registrations that come back after an outage.
const crowdSize = 24

// enter waits for a place in the crowd until ctx ends.
func (b *backend) enter(ctx context.Context) (leave func(), err error) {
	select {
	case b.crowd <- struct{}{}:
		return func() { <-b.crowd }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-b.life.Done():
		return nil, driver.ErrClosed
	}
}

// read makes a request that changes nothing.
func (b *backend) read(ctx context.Context, request func(context.Context) error) error {
	return b.request(ctx, false, b.settings.operation, request)
}

// write makes a request that may change something.
func (b *backend) write(ctx context.Context, request func(context.Context) error) error {
	return b.request(ctx, true, b.settings.operation, request)
}

// request makes a request within a time limit. The vendor's client has none.
func (b *backend) request(
	ctx context.Context, writes bool, limit time.Duration, request func(context.Context) error,
) error {
	if b.life.Err() != nil {
		return driver.ErrClosed
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer context.AfterFunc(b.life, cancel)()
	var left atomic.Bool
	limited = httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { left.Store(true) },
	})
	c := call{ctx: ctx, closed: b.life, writes: writes, left: left.Load, late: lateError(limit)}
	return c.failure(request(limited))
}

// consistent has a read confirmed by a majority of the servers.
func consistent(ctx context.Context) *api.QueryOptions {
	return (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx)
}

// options are those of any other request.
func options(ctx context.Context) *api.QueryOptions {
	return new(api.QueryOptions).WithContext(ctx)
}

// pause waits for d, varied by half at random. It reports whether ctx has not ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// locks are one lock for each key, of which one may be waited for with a context. The zero value has no lock taken.
type locks[K comparable] struct {
	mu    sync.Mutex
	taken map[K]chan struct{} // closed when the lock is free again
}

// lock waits for the lock of key until ctx ends.
func (l *locks[K]) lock(ctx context.Context, key K) (unlock func(), err error) {
	for {
		l.mu.Lock()
		held := l.taken[key]
		if held == nil {
			if l.taken == nil {
				l.taken = make(map[K]chan struct{})
			}
			free := make(chan struct{})
			l.taken[key] = free
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				delete(l.taken, key)
				close(free)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-held:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
