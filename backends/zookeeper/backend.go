package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// backend is one client's connection to a cluster.
type backend struct {
	conn     *zk.Conn
	own      *dialer // nil: the connection is the caller's
	link     *link
	keys     keys
	acl      []zk.ACL
	settings *settings
	log      reception.Logger

	life  context.Context // ends when Close begins
	end   context.CancelFunc
	tasks group // what Close joins
	calls group // requests of the vendor's client; they end with the connection
	close func() error

	session  atomic.Int64  // of the servers, the last one whose server was no older than what was seen; 0 before the first
	catching atomic.Uint64 // which of the link's events a server is brought up to date after, plus one

	watches *watches
	mine    *possessions
}

var _ driver.Backend = (*backend)(nil)

// newBackend returns a backend without a connection.
func newBackend(s *settings, l *link) *backend {
	b := &backend{
		link: l, keys: newKeys(s.prefix), acl: s.acl, settings: s, log: s.logger,
		watches: newWatches(), mine: newPossessions(),
	}
	b.life, b.end = context.WithCancel(context.Background())
	b.close = sync.OnceValue(b.shutDown)
	return b
}

// Name implements [driver.Backend].
func (b *backend) Name() string { return "zookeeper" }

// Close implements [driver.Backend].
func (b *backend) Close() error { return b.close() }

func (b *backend) shutDown() error {
	b.end()
	b.tasks.wait()
	if b.own != nil {
		b.own.close(b.conn, b.mine.sessions() > 0)
		b.calls.wait()
	}
	return nil
}

// do runs a request. The vendor's client knows no contexts, so that happens on a goroutine of its own, and waiting for
// it ends with ctx, with the operation's time, or with the backend. One that reads is repeated if the connection is lost
// under it.
//
// While there is no session, nothing is given to the vendor's client: it would keep the request for later.
func do[R any](ctx context.Context, b *backend, writes bool, request func(context.Context) (R, error)) (R, error) {
	var none R
	c := call{ctx: ctx, closed: b.life, writes: writes, late: lateError(b.settings.operation)}
	if b.life.Err() != nil {
		return none, driver.ErrClosed
	}
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, b.settings.operation)
	defer cancel()
	defer context.AfterFunc(b.life, cancel)()
	for {
		if state, err := b.ready(limited); err != nil {
			return none, err
		} else if !state.up {
			return none, c.unsent(state.trouble)
		}
		result, err := attempt(limited, b, request)
		switch {
		case errors.Is(err, errGivenUp):
			return none, c.abandoned()
		case !writes && errors.Is(err, zk.ErrConnectionClosed) && pause(limited, againAfter):
		default:
			return result, c.failure(err)
		}
	}
}

// againAfter is the pause before a request is repeated, in which the loss of the connection gets around.
const againAfter = 10 * time.Millisecond

// errGivenUp says that nobody waits for a request any more.
var errGivenUp = errors.New("given up")

// attempt runs a request once.
func attempt[R any](ctx context.Context, b *backend, request func(context.Context) (R, error)) (R, error) {
	type outcome struct {
		result R
		err    error
	}
	var none R
	outcomes := make(chan outcome, 1)
	if !b.calls.run(func() {
		if ctx.Err() != nil {
			return // whoever has given up may have sent something else by now, that this must not come after
		}
		result, err := request(ctx)
		outcomes <- outcome{result, err}
	}) {
		return none, errGivenUp
	}
	select {
	case o := <-outcomes:
		return o.result, o.err
	case <-ctx.Done():
		return none, errGivenUp
	}
}

// ready waits until requests can be sent, or ctx ends. It fails if there will be no session that takes any.
func (b *backend) ready(ctx context.Context) (linkState, error) {
	for {
		if b.life.Err() != nil {
			return linkState{}, driver.ErrClosed
		}
		state, changed := b.link.state()
		if state.refused != nil {
			return state, fmt.Errorf("%w: the credentials are not accepted: %w", driver.ErrPermission, state.refused)
		}
		if state.up {
			return state, nil
		}
		select {
		case <-changed:
		case <-b.life.Done():
		case <-ctx.Done():
			state, _ := b.link.state()
			return state, nil
		}
	}
}

// authenticate presents the credentials whenever there is a session that wants them. The vendor's client repeats them on
// every connection once it has heard that they are accepted, and only then.
func (b *backend) authenticate(credentials []byte) {
	for {
		select {
		case <-b.link.wants:
		case <-b.life.Done():
			return
		}
		begun := b.link.begun()
		answer := make(chan error, 1)
		if !b.calls.run(func() { answer <- b.conn.AddAuth("digest", credentials) }) {
			return
		}
		select {
		case err := <-answer:
			switch {
			case err == nil:
				b.link.accepted(begun)
			case isRefusal(err):
				b.link.refuse(err)
				return
			}
		case <-b.life.Done():
			return
		}
	}
}

// timeout returns how long the servers keep a session that they do not hear of.
func (b *backend) timeout() time.Duration {
	state, _ := b.link.state()
	return state.timeout
}

// A group is goroutines that somebody waits for. Unlike a sync.WaitGroup it can be added to until then.
type group struct {
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// run runs f on a goroutine of its own, unless somebody waits already.
func (g *group) run(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.wg.Go(f)
	return true
}

func (g *group) wait() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.wg.Wait()
}

// about returns a duration varied by a fifth at random, so that not all clients act at once.
func about(d time.Duration) time.Duration { return d*4/5 + rand.N(d*2/5+1) }

// pause waits for about d. It reports whether ctx has not ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(about(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
