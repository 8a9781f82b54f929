package zookeeper

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// A dialer makes the connections of the vendor's client, and sees to what that does not: a server that accepts a
// connection and says nothing is given up in time, attempts do not follow one another without a pause, and names are
// resolved anew with each of them.
type dialer struct {
	hosts *hosts
	tls   *tls.Config
	limit time.Duration // for a connection, and again for what it takes until there is a session
	most  time.Duration // the longest pause

	life context.Context // ends with the backend
	end  context.CancelFunc

	mu        sync.Mutex
	current   *socket
	attempts  int    // since there was a session last
	snubs     int    // connections since then, none of which was answered
	renewed   func() // called once the watches are renewed on a connection; nil when nobody waits for that
	abandoned bool
}

// The pauses between attempts, once all servers have been tried. They stay small beside the timeout, of which little is
// left when the connection is lost.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = time.Second
	pauseShare   = 40
)

// patience is how many connections for each server go unanswered before one is made that forgets what was seen: so many
// that with the pauses between them the session's time has passed.
const patience = 2 * pauseShare

func newDialer(h *hosts, config *tls.Config, timeout time.Duration) *dialer {
	d := &dialer{
		hosts: h, tls: config,
		limit: max(timeout/4, 100*time.Millisecond), most: min(longestPause, max(timeout/pauseShare, firstPause)),
	}
	d.life, d.end = context.WithCancel(context.Background())
	return d
}

// A socket is one connection.
type socket struct {
	net.Conn

	dialer *dialer
	opened driver.Moment // before anything was sent on it
	giveUp *time.Timer   // closes it unless there is a session in time
	header []byte        // the first bytes that were read; touched by the reader alone
	forget bool          // says of the next message, which is the first, that nothing was seen yet; touched by the writer alone
	// held is closed once answers may be read; nil if there is nothing to wait for. Guarded by the dialer's mu.
	held chan struct{}
}

// errAbandoned ends a connection on which nothing is to be sent any more.
var errAbandoned = errors.New("the client is closed")

// errNoZooKeeper says that who answers speaks another protocol.
var errNoZooKeeper = errors.New("what answers there is no ZooKeeper server, or wants TLS")

// Read implements [net.Conn]. It looks at the length of the first answer, for which the vendor's client would make room
// whatever it is: up to 4 GB for a server that speaks another protocol.
func (s *socket) Read(p []byte) (int, error) {
	s.await()
	n, err := s.Conn.Read(p)
	const lengthSize, most = 4, 1 << 10
	if missing := lengthSize - len(s.header); missing > 0 {
		s.header = append(s.header, p[:min(n, missing)]...)
		if len(s.header) == lengthSize && binary.BigEndian.Uint32(s.header) > most {
			return 0, errors.Join(errNoZooKeeper, s.Close())
		}
	}
	return n, err
}

// await waits until answers may be read.
//
// The interleaving that this forbids: a request from before the connection was lost is sent on the new one, and its answer
// is read, before the vendor's client has asked for its watches again. It asks from the place in history that it has read
// up to, without a lock: a change between the two places is told to nobody, and the race detector complains.
func (s *socket) await() {
	s.dialer.mu.Lock()
	held := s.held
	s.dialer.mu.Unlock()
	if held != nil {
		<-held
	}
}

// Close implements [net.Conn].
func (s *socket) Close() error {
	s.dialer.mu.Lock()
	s.release()
	s.dialer.mu.Unlock()
	return s.Conn.Close()
}

// release has answers be read. It is called with the dialer's mu held.
func (s *socket) release() {
	if s.held != nil {
		close(s.held)
		s.held = nil
	}
}

// Write implements [net.Conn].
func (s *socket) Write(p []byte) (int, error) {
	if s.dialer.isAbandoned() {
		return 0, errors.Join(errAbandoned, s.Close())
	}
	if s.forget {
		s.forget = false
		p = unseen(p)
	}
	n, err := s.Conn.Write(p)
	if err == nil && renewsWatches(p) {
		s.dialer.watchesRenewed()
	}
	return n, err
}

// unseen is the message that asks for a session, without the place in history up to which the client has seen everything.
// Servers that are behind that send the client away. When they have lost their data all of them are, and the vendor's
// client would ask in vain until they have caught up with a history that is gone. The message is a length, a version, that
// place, and more.
func unseen(message []byte) []byte {
	const from, to = 8, 16
	message = bytes.Clone(message)
	if len(message) >= to {
		clear(message[from:to])
	}
	return message
}

// renewsWatches says whether a message has the servers renew watches. The vendor's client writes each with one call:
// its length, its number, what it is.
func renewsWatches(message []byte) bool {
	const at, operation = 8, 101
	return len(message) >= at+4 && binary.BigEndian.Uint32(message[at:]) == operation
}

// dial is a [zk.Dialer].
func (d *dialer) dial(network, address string, _ time.Duration) (net.Conn, error) {
	if err := d.pause(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(d.life, d.limit)
	defer cancel()
	conn, err := d.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s := &socket{Conn: conn, dialer: d, opened: driver.Now()}
	s.giveUp = time.AfterFunc(d.limit, func() { _ = conn.Close() }) // its reader reports it
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.life.Err() != nil {
		s.giveUp.Stop()
		return nil, errors.Join(errAbandoned, conn.Close())
	}
	if d.current != nil { // the vendor's client leaves that open on which it was told that its session has expired
		d.current.giveUp.Stop()
		_ = d.current.Conn.Close() // it may be closed already
		d.current.release()
	}
	d.current = s
	d.snubs++
	s.forget = d.snubs > patience*max(1, d.hosts.Len())
	return s, nil
}

// pause waits before an attempt that follows others too closely.
func (d *dialer) pause() error {
	d.mu.Lock()
	rounds := d.attempts / max(1, d.hosts.Len())
	d.attempts++
	d.mu.Unlock()
	if rounds == 0 {
		return d.life.Err()
	}
	wait := min(d.most, firstPause<<min(rounds-1, 10))
	if !pause(d.life, wait) {
		return errAbandoned
	}
	return nil
}

// connect connects to one of the addresses that a server's name has now; each time to another one.
func (d *dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	attempt := d.attempts
	d.mu.Unlock()
	chosen := addresses[attempt%len(addresses)]
	conn, err := new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(chosen, port))
	if err != nil || d.tls == nil {
		return conn, err
	}
	config := d.tls.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("TLS: %w", err), conn.Close())
	}
	return secure, nil
}

// served notes that the servers have answered the present connection: with a session, or with the end of the last one. It
// returns a moment before they were asked.
func (d *dialer) served() driver.Moment {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.attempts, d.snubs = 0, 0
	if d.current == nil {
		return driver.Moment{}
	}
	d.current.giveUp.Stop()
	return d.current.opened
}

// whenRenewed calls f once the vendor's client has renewed its watches on the present connection, which it does by itself
// and tells nobody. It calls it after a while in any case, for there may be no watches. With hold no answer is read until
// then.
func (d *dialer) whenRenewed(hold bool, f func()) {
	d.mu.Lock()
	d.renewed = f
	current := d.current
	if hold && current != nil && current.held == nil {
		current.held = make(chan struct{})
	}
	d.mu.Unlock()
	time.AfterFunc(min(renewalLimit, d.limit), func() {
		d.mu.Lock()
		same := d.current == current
		d.mu.Unlock()
		if same {
			d.watchesRenewed()
		}
	})
}

// renewalLimit is how long the renewal of watches is waited for, at the most.
const renewalLimit = time.Second

// watchesRenewed notes that the watches are renewed on the present connection.
func (d *dialer) watchesRenewed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil {
		d.current.release()
	}
	if d.renewed != nil {
		d.renewed()
		d.renewed = nil
	}
}

// lost notes that the connection was lost.
func (d *dialer) lost() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.renewed = nil
}

func (d *dialer) isAbandoned() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.abandoned
}

// close ends the vendor's client. That would also end the session and what lives on it; with keep the connection is
// dropped instead, so that the session is left to expire.
func (d *dialer) close(conn *zk.Conn, keep bool) {
	d.mu.Lock()
	d.abandoned = keep
	d.mu.Unlock()
	d.hosts.close()
	if conn.State() != zk.StateHasSession {
		d.drop()
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		conn.Close()
	}()
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C: // the servers know by now, or never will
	}
	d.drop()
	<-closed
}

// farewell is how long the servers have to confirm the end of a session.
const farewell = 300 * time.Millisecond

// drop ends the connection, and attempts at another one.
func (d *dialer) drop() {
	d.end()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil {
		d.current.giveUp.Stop()
		_ = d.current.Conn.Close() // it may be closed already
		d.current.release()
	}
}

// hosts are the servers in the order in which they are tried. It is the vendor's host provider.
type hosts struct {
	mu     sync.Mutex
	list   []string
	next   int
	closed bool
}

func newHosts(list []string) *hosts {
	h := new(hosts)
	h.set(list)
	return h
}

// set has other servers tried from now on, in an order at random so that not all clients begin with the same one.
func (h *hosts) set(list []string) {
	shuffled := make([]string, len(list))
	for i, j := range rand.Perm(len(list)) {
		shuffled[i] = list[j]
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list, h.next = shuffled, 0
}

// String lists the servers.
func (h *hosts) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(slices.Sorted(slices.Values(h.list)), ", ")
}

// close makes the vendor's client notice that it is closed, for which it looks only when it is told that all servers
// have been tried.
func (h *hosts) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}

// Init implements [zk.HostProvider]. The list is known already.
func (h *hosts) Init([]string) error { return nil }

// Len implements [zk.HostProvider].
func (h *hosts) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.list)
}

// Next implements [zk.HostProvider]. It never says that all servers have been tried, upon which the vendor's client would
// sleep for a second: the dialer has its own pauses.
func (h *hosts) Next() (server string, retryStart bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	server = h.list[h.next%len(h.list)]
	h.next++
	return server, h.closed
}

// Connected implements [zk.HostProvider].
func (h *hosts) Connected() {}
