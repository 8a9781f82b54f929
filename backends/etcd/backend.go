package etcd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/connectivity"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// leaderPause is the wait before a request is repeated that a server without a leader has refused. It is repeated at
// all because the next server in turn may have one.
const leaderPause = 50 * time.Millisecond

// hurryPause is the least time between two attempts to connect that requests bring about.
const hurryPause = 100 * time.Millisecond

// backend is one client's connection to a cluster.
type backend struct {
	client   *clientv3.Client
	own      bool // the client is the backend's to close
	kv       clientv3.KV
	lease    remoteLease
	keys     keys
	settings *settings
	log      reception.Logger

	life     context.Context // ends when Close begins
	end      context.CancelFunc
	services *pulse // of the watches that lists are served from
	records  *pulse // of all others
	together *batcher
	// written is what it has registered a moment ago.
	written written
	// hurried says that the connection was tried again moments ago.
	hurried atomic.Bool
	mu      sync.Mutex     // held while life ends, and while tasks are added to
	tasks   sync.WaitGroup // the goroutines that Close joins
	close   func() error
}

var _ driver.Backend = (*backend)(nil)

// newBackend returns a backend over client.
func newBackend(client *clientv3.Client, s *settings) *backend {
	b := &backend{
		client: client, kv: newKV(client), lease: newLease(client), keys: newKeys(s.prefix), settings: s, log: s.logger,
	}
	b.life, b.end = context.WithCancel(context.Background())
	b.services, b.records = newPulse(b.life, "services", s.interval(), true), newPulse(b.life, "records", s.interval(), false)
	b.together = &batcher{b: b}
	b.close = sync.OnceValue(b.shutDown)
	b.tasks.Go(func() { b.keep(b.services) })
	b.tasks.Go(func() { b.keep(b.records) })
	return b
}

// Name implements [driver.Backend].
func (b *backend) Name() string { return "etcd" }

// Close implements [driver.Backend].
func (b *backend) Close() error { return b.close() }

func (b *backend) shutDown() error {
	b.mu.Lock()
	b.end()
	b.mu.Unlock()
	b.tasks.Wait()
	if !b.own {
		return nil
	}
	if err := b.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("etcd: closing the connection: %w", err)
	}
	return nil
}

// start runs a task that Close joins, and whose end the backend's life brings about. It reports false if that is over.
//
// The interleaving that mu forbids, here and in shutDown: start finds the backend alive; it is closed, and everything that
// it waits for is over; start starts another goroutine.
func (b *backend) start(task func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.life.Err() != nil {
		return false
	}
	b.tasks.Go(task)
	return true
}

// read makes a request that changes nothing.
func (b *backend) read(ctx context.Context, request func(context.Context) error) error {
	return b.request(ctx, false, request)
}

// write makes a request that may change something.
func (b *backend) write(ctx context.Context, request func(context.Context) error) error {
	return b.request(ctx, true, request)
}

// request makes a request, within the operation timeout, of a server that has a leader: one that is cut off from the
// others would keep it waiting instead.
func (b *backend) request(ctx context.Context, writes bool, request func(context.Context) error) error {
	c := call{ctx: ctx, closed: b.life, writes: writes, late: lateError(b.settings.operation)}
	if b.life.Err() != nil {
		return driver.ErrClosed
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	b.reconnect()
	limited, cancel := b.limit(ctx)
	defer cancel()
	err := request(limited)
	for errors.Is(rpctypes.Error(err), rpctypes.ErrNoLeader) && pause(limited, leaderPause) {
		err = request(limited)
	}
	return c.failure(err)
}

// limit returns the context of one request.
func (b *backend) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	limited, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), b.settings.operation)
	stop := context.AfterFunc(b.life, cancel)
	return limited, func() { stop(); cancel() }
}

// lateError says that there was no answer within timeout. It is no error of a context, because none of the caller's has
// ended.
type lateError time.Duration

func (e lateError) Error() string { return fmt.Sprintf("no answer within %v", time.Duration(e)) }

// reconnect has a connection that was lost tried again now, as there is a request for it. By default gRPC waits longer
// and longer between its attempts, up to two minutes, whoever has asked meanwhile.
func (b *backend) reconnect() {
	connection := b.client.ActiveConnection()
	if connection.GetState() == connectivity.TransientFailure && b.hurried.CompareAndSwap(false, true) {
		connection.ResetConnectBackoff()
		time.AfterFunc(hurryPause, func() { b.hurried.Store(false) })
	}
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
