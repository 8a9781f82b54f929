// Package relay is a TCP proxy with a port that never changes, in front of a
// server whose port does, and with faults on the way. Toxiproxy's toxics carry
// the bytes; the listener and the connections are the relay's own, because
// Toxiproxy cannot reset a connection that is already there and hands the end of
// a connection on while it is swallowing everything else.
package relay

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/rs/zerolog"
)

// dialTimeout bounds the way to the server, which is on this machine.
const dialTimeout = 5 * time.Second

// Relay forwards connections to one server. All methods are safe for concurrent use.
type Relay struct {
	addr   string
	server *toxiproxy.ApiServer
	toxics *toxiproxy.Proxy

	mu       sync.Mutex
	upstream string       // the server's present address; empty: there is none
	cuts     int          // how many faults refuse connections
	resets   int          // how many faults reset connections
	holes    int          // how many faults swallow everything
	listener net.Listener // nil while connections are refused
	ends     map[*end]struct{}
	links    int // numbers connections, for names
	closed   bool
	running  sync.WaitGroup
}

// New returns a relay with a free port of this machine. It refuses connections
// until it is told the server's address.
func New() (*Relay, error) {
	listener, err := listenFree()
	if err != nil {
		return nil, err
	}
	logger := zerolog.Nop()
	r := &Relay{
		addr:   listener.Addr().String(),
		server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), logger),
		ends:   map[*end]struct{}{},
	}
	r.toxics = toxiproxy.NewProxy(r.server, "relay", r.addr, "")
	return r, listener.Close()
}

// Addr returns the address that clients use. It stays the same for ever.
func (r *Relay) Addr() string { return r.addr }

// SetUpstream says where the server is now; empty means nowhere, and connections
// are refused. Connections to the former address are closed.
func (r *Relay) SetUpstream(addr string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if addr != r.upstream {
		r.upstream = addr
		r.dropAll(false)
	}
	return r.settle()
}

// Close closes the port and every connection, and waits until they are gone.
func (r *Relay) Close() error {
	r.mu.Lock()
	r.closed = true
	r.holes = 0 // ends stay closed from here on
	r.dropAll(true)
	err := r.settle()
	r.mu.Unlock()
	r.running.Wait()
	release(r.addr)
	return err
}

// settle opens or closes the port as the state asks for. It holds mu.
func (r *Relay) settle() error {
	open := r.upstream != "" && r.cuts == 0 && !r.closed
	switch {
	case open && r.listener == nil:
		listener, err := listenAgain(r.addr)
		if err != nil {
			return fmt.Errorf("reopen the proxy's port: %w", err)
		}
		r.listener = listener
		r.running.Go(func() { r.accept(listener) })
	case !open && r.listener != nil:
		err := r.listener.Close()
		r.listener = nil
		return err
	}
	return nil
}

// accept forwards what arrives until the listener is closed.
func (r *Relay) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.forward(listener, conn.(*net.TCPConn)) }) //nolint:errcheck // a TCP listener accepts nothing else
	}
}

// forward connects a client with the server. What is reset or swallowed does
// not reach the server at all.
func (r *Relay) forward(listener net.Listener, conn *net.TCPConn) {
	client := &end{TCPConn: conn, relay: r}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends[client] = struct{}{}
	if r.resets > 0 || r.listener != listener {
		client.drop(true)
		return
	}
	if r.holes > 0 {
		return
	}
	upstream := r.upstream
	r.mu.Unlock()
	dialer := net.Dialer{Timeout: dialTimeout}
	there, err := dialer.DialContext(context.Background(), "tcp", upstream)
	r.mu.Lock()
	if err != nil || r.upstream != upstream || r.listener != listener {
		client.drop(true)
		if err == nil {
			_ = there.Close()
		}
		return
	}
	server := &end{TCPConn: there.(*net.TCPConn), relay: r} //nolint:errcheck // see the dialed network
	if _, open := r.ends[client]; !open {
		server.drop(true)
		return
	}
	r.ends[server] = struct{}{}
	r.link(client, server)
}

// link lets the toxics carry the bytes. It holds mu.
func (r *Relay) link(client, server *end) {
	r.links++
	name := strconv.Itoa(r.links)
	r.running.Add(2)
	r.toxics.Toxics.StartLink(r.server, name+"up", client, &output{end: server}, stream.Upstream)
	r.toxics.Toxics.StartLink(r.server, name+"down", server, &output{end: client}, stream.Downstream)
}

// dropAll closes every connection. It holds mu.
func (r *Relay) dropAll(reset bool) {
	for e := range r.ends {
		e.drop(reset)
	}
}

// end is the relay's end of a connection, to a client or to the server.
type end struct {
	*net.TCPConn
	relay *Relay
}

// drop closes the connection, with a reset if so wanted. It holds mu.
func (e *end) drop(reset bool) {
	if reset {
		_ = e.SetLinger(0) // fails if the connection has ended already
	}
	_ = e.Close() // the same
	delete(e.relay.ends, e)
}

// output is an end to which a link writes and which it closes when its source
// has ended, exactly once.
type output struct {
	*end
	once sync.Once
}

// Close ends the connection, unless everything is being swallowed: then the
// other side must not learn that this one has gone.
func (o *output) Close() error {
	o.relay.mu.Lock()
	defer o.relay.mu.Unlock()
	o.once.Do(o.relay.running.Done)
	if o.relay.holes == 0 {
		o.drop(false)
	}
	return nil
}
