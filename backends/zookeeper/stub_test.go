package zookeeper

import (
	"errors"
	"net"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception"
)

// The operations of ZooKeeper's protocol that the stub knows.
const (
	opCreate          = 1
	opDelete          = 2
	opExists          = 3
	opGetData         = 4
	opSetData         = 5
	opSync            = 9
	opPing            = 11
	opGetChildren     = 12
	opCheck           = 13
	opMulti           = 14
	opCreateContainer = 19
	opAuth            = 100
	opSetWatches      = 101
	opClose           = -11
)

// Codes of errors.
const (
	codeNoNode     = -101
	codeBadVersion = -103
	codeNodeExists = -110
	codeNotEmpty   = -111
	codeExpired    = -112
	codeAuthFailed = -115
)

// A stub is a server of ZooKeeper's protocol that has one tree, and does what a test wants it to.
type stub struct {
	t        *testing.T
	listener net.Listener
	timeout  time.Duration // granted, whatever is asked for
	served   sync.WaitGroup

	mu       sync.Mutex
	zxid     int64
	session  int64 // the last one that was opened
	expired  map[int64]bool
	nodes    map[string]*stubNode
	conns    map[*stubConn]bool
	requests map[int32]int
	bytes    int // of requests and their answers
	// behind, if it is set, is what is read on connections on which nobody has asked for the server to catch up.
	behind map[string]*stubNode
	// on, if it is set, is asked about each request. It is called without locks.
	on func(op int32, path string) stubAction
}

// A stubAction is what becomes of a request.
type stubAction int

const (
	answer    stubAction = iota
	hang                 // never answered, nor carried out
	drop                 // the connection ends before it is carried out
	loseReply            // it is carried out, and the connection ends
	refuseIt             // it is answered with a failed authentication
)

type stubNode struct {
	data     []byte
	stat     zk.Stat
	sequence int32 // of the next sequential child
}

type stubConn struct {
	net.Conn
	session int64
	synced  bool
	mu      sync.Mutex // held to write
	watches map[watchKey]bool
}

// serve starts a stub.
func serve(t *testing.T) *stub {
	t.Helper()
	s := &stub{
		t: t, timeout: 3 * time.Second, nodes: map[string]*stubNode{"/": {}}, conns: map[*stubConn]bool{},
		expired: map[int64]bool{}, requests: map[int32]int{}, session: 100,
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it binds a port of this machine
	if err != nil {
		t.Fatal(err)
	}
	s.listener = listener
	s.served.Go(s.accept)
	t.Cleanup(func() {
		_ = s.listener.Close() // it may have been closed by the test
		s.cut()
		s.served.Wait()
	})
	return s
}

func (s *stub) addr() string { return s.listener.Addr().String() }

// backend connects to the stub.
func (s *stub) backend(opts ...Option) *backend {
	s.t.Helper()
	b, err := open(s.t.Context(), "test", s.addr(), append([]Option{WithSessionTimeout(s.timeout)}, opts...), dial)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := b.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return b
}

// client connects to the stub.
func (s *stub) client(opts ...Option) reception.Client {
	s.t.Helper()
	client := reception.NewClient(s.backend(opts...))
	s.t.Cleanup(func() { _ = client.Close() })
	return client
}

// cut ends all connections.
func (s *stub) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// expire ends all sessions, and with them their nodes.
func (s *stub) expire() {
	s.mu.Lock()
	for c := range s.conns {
		s.expired[c.session] = true
		s.end(c.session)
	}
	s.mu.Unlock()
	s.cut()
}

// end deletes the nodes of a session. It is called with mu held.
func (s *stub) end(session int64) {
	for p, n := range s.nodes {
		if n.stat.EphemeralOwner == session {
			s.zxid++
			s.delete(p)
		}
	}
}

// count returns how many requests of an operation there were.
func (s *stub) count(op int32) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[op]
}

// do has a test change the tree.
func (s *stub) do(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// act has requests be treated as on says.
func (s *stub) act(on func(op int32, path string) stubAction) { s.do(func() { s.on = on }) }

// names are those of the children of a node.
func (s *stub) names(parent string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.children(parent)
}

// children is names for those who hold mu.
func (s *stub) children(parent string) []string { return childrenOf(s.nodes, parent) }

func childrenOf(tree map[string]*stubNode, parent string) []string {
	var names []string
	for p := range tree {
		if p != "/" && path.Dir(p) == parent {
			names = append(names, path.Base(p))
		}
	}
	return names
}

func (s *stub) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.served.Go(func() { s.serve(&stubConn{Conn: conn, watches: map[watchKey]bool{}}) })
	}
}

var errStub = errors.New("the stub ends the connection")

// serve serves one connection.
func (s *stub) serve(c *stubConn) {
	defer c.Close()
	if err := s.greet(c); err != nil {
		return
	}
	defer s.do(func() { delete(s.conns, c) })
	for {
		r, err := receive(c.Conn)
		if err != nil {
			return
		}
		if err := s.handle(c, r); err != nil {
			return
		}
	}
}

// greet opens a session, or goes on with one.
func (s *stub) greet(c *stubConn) error {
	r, err := receive(c.Conn)
	if err != nil {
		return err
	}
	r.int()
	seen := r.long()
	r.int()
	asked := r.long()
	s.mu.Lock()
	if seen > s.zxid { // as the servers do with whom they are behind
		s.mu.Unlock()
		return errStub
	}
	if asked == 0 {
		s.session++
		asked = s.session
	}
	gone := s.expired[asked]
	if !gone {
		c.session = asked
		s.conns[c] = true
	}
	s.mu.Unlock()
	timeout := int32(s.timeout / time.Millisecond)
	if gone {
		asked, timeout = 0, 0
	}
	err = send(c.Conn, new(writer).int(0).int(timeout).long(asked).buffer(make([]byte, 16)))
	if gone {
		return errStub // the servers end it, too; the vendor's client does not
	}
	return err
}

// handle handles one request.
func (s *stub) handle(c *stubConn, r *reader) error {
	size := len(r.rest)
	xid, op := r.int(), r.int()
	s.do(func() { s.requests[op]++ })
	if op == opPing {
		return c.reply(xid, 0, 0, nil)
	}
	body := *r
	action := answer
	s.mu.Lock()
	on := s.on
	s.mu.Unlock()
	if on != nil {
		action = on(op, firstPath(op, &body))
	}
	switch action {
	case hang:
		return nil
	case drop:
		return errStub
	case refuseIt:
		return errors.Join(c.reply(xid, 0, codeAuthFailed, nil), errStub)
	}
	s.mu.Lock()
	result, code := s.perform(c, op, r)
	zxid := s.zxid
	s.bytes += size
	if result != nil {
		s.bytes += len(result.out)
	}
	s.mu.Unlock()
	if action == loseReply {
		return errStub
	}
	if err := c.reply(xid, zxid, code, result); err != nil || op == opClose {
		return errStub
	}
	return nil
}

// firstPath is the path that a request is about.
func firstPath(op int32, r *reader) string {
	switch op {
	case opMulti:
		first := ""
		for {
			part := r.int()
			done := r.bool()
			r.int()
			if done {
				return first
			}
			p := r.string()
			if part == opCreate || first == "" {
				first = p
			}
			skip(part, r)
		}
	case opAuth, opClose, opSetWatches:
		return ""
	}
	return r.string()
}

// skip skips what comes after the path of a part of a transaction.
func skip(part int32, r *reader) {
	switch part {
	case opCreate, opCreateContainer:
		r.buffer()
		r.acl()
		r.int()
	case opSetData:
		r.buffer()
		r.int()
	default:
		r.int()
	}
}

func (c *stubConn) reply(xid int32, zxid int64, code int32, result *writer) error {
	w := new(writer).int(xid).long(zxid).int(code)
	if result != nil && code == 0 {
		w.out = append(w.out, result.out...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return send(c.Conn, w)
}

// under are the paths below a parent that contain text.
func (s *stub) under(parent, text string) []string {
	var found []string
	for _, name := range s.names(parent) {
		if strings.Contains(name, text) {
			found = append(found, name)
		}
	}
	return found
}
