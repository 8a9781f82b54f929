package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// Dial connects to an ensemble of ZooKeeper and returns a Client. addr names one or more servers of it, separated by
// commas, each as host or host:port. Dial fails if there is no session within the dial timeout and before ctx ends, or
// if the prefix may not be read.
func Dial(ctx context.Context, addr string, opts ...Option) (reception.Client, error) {
	return clientOf(open(ctx, "Dial", addr, opts, dial))
}

// DialBackend is [Dial] for those who make the Client themselves, because they want to give [reception.NewClient] options
// or the backend something around it.
func DialBackend(ctx context.Context, addr string, opts ...Option) (driver.Backend, error) {
	return backendOf(open(ctx, "DialBackend", addr, opts, dial))
}

// open makes a backend with a connection of its own.
func open(
	ctx context.Context, op, addr string, opts []Option, dial func(context.Context, string, *settings) (*backend, error),
) (*backend, error) {
	s, err := makeSettings(opts)
	if err != nil {
		return nil, fmt.Errorf("zookeeper: %s: %w", op, err)
	}
	b, err := dial(ctx, addr, s)
	if err != nil {
		return nil, fmt.Errorf("zookeeper: %s: %w", op, err)
	}
	return b, nil
}

// clientOf makes a Client of a backend.
func clientOf(b *backend, err error) (reception.Client, error) {
	if err != nil {
		return nil, err
	}
	return reception.NewClient(b, reception.WithLogger(b.log)), nil
}

// backendOf returns a backend that is no nil pointer.
func backendOf(b *backend, err error) (driver.Backend, error) {
	if err != nil {
		return nil, err
	}
	return b, nil
}

// New returns a Client over a connection of ZooKeeper's client and its events. From then on it reads the events, and
// nobody else may; the connection is the caller's to close, after this client. It does not wait for the servers.
//
// How long the session's timeout is New takes from the connection. What is to authenticate must be added to that by the
// caller.
//
// Such a client does not outlive the loss of the servers' data. Servers turn away a connection that has seen more than
// they have, and ZooKeeper's client asks again and again with what it has seen; a connection that [Dial] makes forgets
// that in time, but this one is the caller's. Everything is unavailable from then on, and registrations are told so. What
// helps is to close the client and the connection, and to make both anew.
func New(conn *zk.Conn, events <-chan zk.Event, opts ...Option) (reception.Client, error) {
	return clientOf(over(conn, events, opts))
}

// NewBackend is New for those who make the Client themselves, because they want to give [reception.NewClient] options
// or the backend something around it.
func NewBackend(conn *zk.Conn, events <-chan zk.Event, opts ...Option) (driver.Backend, error) {
	return backendOf(over(conn, events, opts))
}

// over returns a backend over a connection that the caller closes.
func over(conn *zk.Conn, events <-chan zk.Event, opts []Option) (*backend, error) {
	s, err := makeSettings(opts)
	if err != nil {
		return nil, fmt.Errorf("zookeeper: New: %w", err)
	}
	if err := s.Connected(); err != nil {
		return nil, fmt.Errorf("zookeeper: New: %w", err)
	}
	if conn == nil || events == nil {
		return nil, errors.New("zookeeper: New: it takes both a connection and the channel of its events")
	}
	b := newBackend(s, newLink(false))
	b.conn = conn
	b.tasks.run(func() { b.attend(events) })
	return b, nil
}

// attendance is how often a connection that is the caller's is looked at. Its events have six places to wait in, and the
// vendor's client drops what finds none.
const attendance = 100 * time.Millisecond

// attend follows the state of a connection that is the caller's, until the backend is closed.
func (b *backend) attend(events <-chan zk.Event) {
	ticker := time.NewTicker(attendance)
	defer ticker.Stop()
	for {
		b.notice(b.conn.State(), false)
		select {
		case event, open := <-events:
			if !open {
				b.link.complain(errors.New("the connection was closed by its owner"))
				b.link.lost()
				<-b.life.Done()
				return
			}
			if event.Type == zk.EventSession {
				b.notice(event.State, true)
			}
		case <-ticker.C:
		case <-b.life.Done():
			return
		}
	}
}

// notice takes a state of the vendor's client: that of an event, which tells of another session even if there was one,
// or the present one.
func (b *backend) notice(state zk.State, event bool) {
	known, _ := b.link.state()
	switch {
	case state != zk.StateHasSession:
		b.link.lost()
	case event || !known.up:
		b.regained(negotiated(b.conn), driver.Moment{})
	}
}

// dial connects to the servers and checks that they can be worked with.
func dial(ctx context.Context, addr string, s *settings) (*backend, error) {
	if s.polls {
		return nil, errors.New("WithExhibitors, WithExhibitorInterval: it takes DialExhibitor to ask Exhibitor")
	}
	servers, err := parseServers(append([]string{addr}, s.servers...))
	if err != nil {
		return nil, err
	}
	return connect(ctx, newHosts(servers), s)
}

// connect makes a connection to servers, and waits until there is a session.
func connect(ctx context.Context, servers *hosts, s *settings) (*backend, error) {
	b := newBackend(s, newLink(s.credentials != nil))
	b.own = newDialer(servers, s.tls, s.timeout)
	ready := make(chan struct{}) // b.conn is set
	conn, events, err := zk.Connect([]string{"of the host provider"}, s.timeout,
		zk.WithDialer(b.own.dial), zk.WithHostProvider(servers), zk.WithLogInfo(false),
		zk.WithLogger(complaints{b}), zk.WithEventCallback(func(event zk.Event) {
			if event.Type == zk.EventSession {
				<-ready
				b.follow(event.State)
			}
		}))
	if err != nil {
		return nil, err
	}
	b.conn = conn
	close(ready)
	b.calls.run(func() { drain(events) })
	if s.credentials != nil {
		b.tasks.run(func() { b.authenticate(s.credentials) })
	}
	if err := b.greet(ctx); err != nil {
		_ = b.Close() // what is wrong was said already
		return nil, err
	}
	return b, nil
}

// drain reads what was told to the callback already, until the vendor's client has ended.
func drain(events <-chan zk.Event) {
	for range events {
	}
}

// follow takes the events of a connection of our own, on a goroutine of the vendor's client, which it must not hold up.
func (b *backend) follow(state zk.State) {
	switch state {
	case zk.StateHasSession:
		heard := b.own.served()
		granted := negotiated(b.conn)
		if known, _ := b.link.state(); granted != known.timeout && granted != b.settings.timeout {
			b.log.Printf("reception: zookeeper: the servers grant a session timeout of %v, where %v was asked for",
				granted, b.settings.timeout)
		}
		// What is read from now on must be read after the watches are there again, or a change in between is missed.
		if b.watches.any() {
			// With credentials the vendor's client waits for an answer of its own before it renews anything.
			b.own.whenRenewed(b.settings.credentials == nil, func() { b.regained(granted, heard) })
		} else {
			b.regained(granted, heard)
		}
	case zk.StateExpired:
		b.own.served()
		b.own.lost()
		b.link.lost()
	default:
		b.own.lost()
		b.link.lost()
	}
}

// complaints is the logger of the vendor's client.
type complaints struct{ b *backend }

// Printf implements [zk.Logger].
func (c complaints) Printf(format string, args ...any) {
	if c.b.life.Err() != nil {
		return
	}
	complaint := fmt.Sprintf(format, args...)
	c.b.link.complain(errors.New(complaint))
	c.b.log.Printf("reception: zookeeper: %s", complaint)
}

// greet waits for a session, and reads below the prefix for the servers to refuse it if they do.
func (b *backend) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, b.settings.dial, lateError(b.settings.dial))
	defer cancel()
	state, err := b.ready(ctx)
	if err == nil && !state.up {
		err = fmt.Errorf("%w: %w: no session: %w", driver.ErrUnavailable, driver.ErrZkDisconnect, context.Cause(ctx))
		if state.trouble != nil {
			err = fmt.Errorf("%w: %w", err, state.trouble)
		}
	}
	if err == nil {
		_, err = b.list(ctx, b.settings.prefix)
	}
	if err != nil {
		return fmt.Errorf("cannot work with %s: %w", b.own.hosts, err)
	}
	return nil
}
