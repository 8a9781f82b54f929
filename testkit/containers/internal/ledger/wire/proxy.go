package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// dialTimeout bounds the way to the server, which is on this machine.
const dialTimeout = 5 * time.Second

// Counts are what has gone through a proxy.
type Counts struct {
	Connections int64 // that were opened
	Requests    int64 // what counts as one is the Protocol's to say
	Sent        int64 // bytes from clients
	Received    int64 // bytes from the server
}

// Since returns what has been added to before.
func (c Counts) Since(before Counts) Counts {
	return Counts{
		Connections: c.Connections - before.Connections,
		Requests:    c.Requests - before.Requests,
		Sent:        c.Sent - before.Sent,
		Received:    c.Received - before.Received,
	}
}

// Proxy forwards connections to a server and counts. All methods are safe for concurrent use.
type Proxy struct {
	listener net.Listener
	protocol Protocol

	connections, requests, sent, received atomic.Int64

	mu       sync.Mutex
	upstream string // empty: connections are refused
	ends     map[net.Conn]struct{}
	running  sync.WaitGroup
}

// New returns a proxy on a port of this machine that leads to upstream.
func New(upstream string, protocol Protocol) (*Proxy, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	p := &Proxy{listener: listener, protocol: protocol, upstream: upstream, ends: map[net.Conn]struct{}{}}
	p.running.Go(p.accept)
	return p, nil
}

// Addr returns the address that clients connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Counts returns what has gone through until now.
func (p *Proxy) Counts() Counts {
	return Counts{
		Connections: p.connections.Load(), Requests: p.requests.Load(), Sent: p.sent.Load(), Received: p.received.Load(),
	}
}

// Open returns how many connections there are now.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ends) / 2
}

// Point lets the proxy lead to another server; empty means nowhere: then every
// connection is closed at once. What is open is closed.
func (p *Proxy) Point(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
	for end := range p.ends {
		_ = end.Close() // whoever reads from it sees the end
	}
}

// Cut is Point to nowhere.
func (p *Proxy) Cut() { p.Point("") }

// Close ends the proxy and everything that goes through it.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.Cut()
	p.running.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.forward(client) })
	}
}

// forward connects a client with the server until one of them ends.
func (p *Proxy) forward(client net.Conn) {
	defer client.Close() //nolint:errcheck // it has ended
	p.mu.Lock()
	upstream := p.upstream
	p.mu.Unlock()
	if upstream == "" {
		return
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	server, err := dialer.DialContext(context.Background(), "tcp", upstream)
	if err != nil {
		return
	}
	defer server.Close() //nolint:errcheck // it has ended
	if !p.enter(upstream, client, server) {
		return
	}
	defer p.leave(client, server)
	p.connections.Add(1)

	var both sync.WaitGroup
	both.Go(func() { p.up(client, server) })
	both.Go(func() {
		_, _ = io.Copy(counter{client, &p.received}, server) // ends with either connection
		_ = client.Close()                                   // that wakes the other direction
	})
	both.Wait()
}

// enter notes the ends of a connection, unless the proxy has been pointed elsewhere meanwhile.
func (p *Proxy) enter(upstream string, ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.upstream != upstream {
		return false
	}
	for _, end := range ends {
		p.ends[end] = struct{}{}
	}
	return true
}

func (p *Proxy) leave(ends ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, end := range ends {
		delete(p.ends, end)
	}
}

// up carries what a client sends, and has the protocol read along.
func (p *Proxy) up(client, server net.Conn) {
	along, tap := io.Pipe()
	var reading sync.WaitGroup
	reading.Go(func() {
		err := p.protocol(along, func() { p.requests.Add(1) })
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			_ = client.Close() // better no figure than a wrong one
		}
		_, _ = io.Copy(io.Discard, along) // so that the tap never blocks
	})
	// The tap comes first, so that a request is counted before it can be answered.
	_, _ = io.Copy(io.MultiWriter(tap, counter{server, &p.sent}), client) // ends with either connection
	_ = server.Close()                                                    // that wakes the other direction
	_ = tap.Close()                                                       // never fails
	reading.Wait()
}

// counter is a writer that counts bytes.
type counter struct {
	to    io.Writer
	count *atomic.Int64
}

func (w counter) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.count.Add(int64(n))
	return n, err
}
