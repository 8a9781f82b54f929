package consultest

import (
	"context"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/containers"
)

// TestConformanceWithHTTPChecks is the suite with checks by which Consul asks this process for its health. A
// session outlives its process by the interval and the time-out.
func TestConformanceWithHTTPChecks(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t)
	admin := open(t, server.Endpoints()[0])
	conformance.Run(t, conformance.Harness{
		Name:   "consul with HTTP checks",
		Timing: timing,
		Open: func(t conformance.T, namespace string) *conformance.Cluster {
			s := &stage{t: t, server: server, admin: admin, prefix: namespace}
			s.with = func(c *connection) []consul.Option { return asked(s.tb(), c) }
			return s.cluster()
		},
	})
}

// asked has Consul ask a connection's process for its health, by a way of the connection's own.
func asked(tb testing.TB, c *connection) []consul.Option {
	tb.Helper()
	back := newBackway(tb)
	c.cut = back.cut
	return []consul.Option{
		consul.WithHost(containers.HostName), consul.WithListenHost("127.0.0.1"), consul.WithPort(back.inside),
		consul.WithAdvertisedPort(back.outside),
		consul.WithCheckInterval(time.Second), consul.WithCheckTimeout(2 * time.Second),
	}
}

// A backway is a way from the containers to a port of this process, that can be cut.
type backway struct {
	outside, inside int

	mu    sync.Mutex
	cuts  int
	conns map[net.Conn]struct{}
}

func newBackway(tb testing.TB) *backway {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "0.0.0.0:0")
	ok(tb, err)
	free, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	ok(tb, err)
	b := &backway{outside: portOf(tb, listener), inside: portOf(tb, free), conns: make(map[net.Conn]struct{})}
	ok(tb, free.Close())
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { b.carry(conn) })
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		b.drop()
		serving.Wait()
	})
	return b
}

func portOf(tb testing.TB, listener net.Listener) int {
	tb.Helper()
	_, text, err := net.SplitHostPort(listener.Addr().String())
	ok(tb, err)
	port, err := strconv.Atoi(text)
	ok(tb, err)
	return port
}

// carry carries one connection to the inside and back.
func (b *backway) carry(outer net.Conn) {
	defer outer.Close()
	inside := net.JoinHostPort("127.0.0.1", strconv.Itoa(b.inside))
	inner, err := new(net.Dialer).DialContext(context.Background(), "tcp", inside)
	if err != nil || !b.keep(outer, inner) {
		return
	}
	defer b.forget(outer, inner)
	go func() {
		_, _ = io.Copy(inner, outer)
		_ = inner.Close()
	}()
	_, _ = io.Copy(outer, inner)
}

// keep notes connections, unless the way is cut.
func (b *backway) keep(conns ...net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range conns {
		if b.cuts > 0 {
			_ = conn.Close()
			continue
		}
		b.conns[conn] = struct{}{}
	}
	return b.cuts == 0
}

func (b *backway) forget(conns ...net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close()
		delete(b.conns, conn)
	}
}

// drop ends all connections.
func (b *backway) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn := range b.conns {
		_ = conn.Close()
	}
}

// cut ends all connections, and every new one until heal is called.
func (b *backway) cut() (heal func()) {
	b.mu.Lock()
	b.cuts++
	b.mu.Unlock()
	b.drop()
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.cuts--
	}
}
