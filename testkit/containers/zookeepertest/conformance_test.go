package zookeepertest

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/containers"
)

// dialing is a way to connect.
type dialing func(tb testing.TB, link *containers.Link, opts ...zookeeper.Option) (driver.Backend, error)

func directly(tb testing.TB, link *containers.Link, opts ...zookeeper.Option) (driver.Backend, error) {
	tb.Helper()
	return zookeeper.DialBackend(tb.Context(), strings.Join(link.Endpoints(), ","), opts...)
}

func byExhibitor(tb testing.TB, link *containers.Link, opts ...zookeeper.Option) (driver.Backend, error) {
	tb.Helper()
	return zookeeper.DialExhibitorBackend(tb.Context(), exhibit(tb, link.Endpoints()[0]).Addr()+"/", opts...)
}

// An address is host and port, as Exhibitor has them.
type address struct {
	host string
	port int
}

func exhibitAt(tb testing.TB, endpoint string) address {
	tb.Helper()
	host, port, err := net.SplitHostPort(endpoint)
	ok(tb, err)
	number, err := strconv.Atoi(port)
	ok(tb, err)
	return address{host, number}
}

// exhibit starts an Exhibitor that knows one server.
func exhibit(tb testing.TB, endpoint string) *containers.Exhibitor {
	tb.Helper()
	at := exhibitAt(tb, endpoint)
	return containers.StartExhibitor(tb, at.port, at.host)
}

// suiteTTL is the session timeout of the suite, which runs many cases at a time: a quarter of it, and a sixth, may have
// passed when a renewal counts, and what is left must be enough for a busy machine.
const suiteTTL = 4 * time.Second

func TestConformance(t *testing.T) {
	t.Parallel()
	conform(t, "zookeeper", directly)
}

// TestConformanceThroughExhibitor is not parallel: the suite twice at a time is more than a small machine can take.
func TestConformanceThroughExhibitor(t *testing.T) {
	conform(t, "zookeeper through exhibitor", byExhibitor)
}

func conform(t *testing.T, name string, dial dialing) {
	t.Helper()
	server := containers.StartZooKeeper(t)
	admin := open(t, server.Endpoints()...)
	conformance.Run(t, conformance.Harness{
		Name: name,
		Timing: conformance.Timing{
			TTL: suiteTTL, Late: 1500 * time.Millisecond, Propagation: 300 * time.Millisecond, Backoff: 500 * time.Millisecond,
			Margin: suiteTTL / 10, Grace: grace,
		},
		Open: func(t conformance.T, namespace string) *conformance.Cluster {
			s := &stage{t: t, server: server, admin: admin, prefix: "/" + namespace, dial: dial}
			return &conformance.Cluster{
				Connect: s.connect,
				Cut:     func(b driver.Backend) func() { return s.connectionOf(b).link.Cut(s.tb()) },
				Freeze:  func(b driver.Backend) func() { return s.connectionOf(b).link.Blackhole(s.tb()) },
				Expire:  func(b driver.Backend) { s.expire(s.connectionOf(b)) },
				Remove:  s.remove,
				Depose:  s.depose,
				Wipe:    s.wipe,
				Foreign: s.foreign,
				Garbage: func(name string) { s.put(s.services(name)+"/garbage", []byte("\x00{")) },
				Fair:    true,
			}
		},
	})
}

// A stage is what one case plays on.
type stage struct {
	t      conformance.T
	server *containers.ZooKeeperCluster
	admin  *zk.Conn
	prefix string
	dial   dialing

	mu          sync.Mutex
	connections []*connection
}

// A connection is a backend that has a link of its own.
type connection struct {
	driver.Backend

	link *containers.Link

	mu      sync.Mutex
	session int64 // the servers' session that it has opened sessions on
}

// tb is the test of the case.
func (s *stage) tb() testing.TB {
	tb, is := s.t.(testing.TB)
	if !is {
		s.t.Fatalf("%T is no testing.TB", s.t)
	}
	return tb
}

func (s *stage) connect(_ conformance.T, log reception.Logger) driver.Backend {
	link := s.server.NewLink(s.tb())
	b, err := s.dial(s.tb(), link,
		zookeeper.WithPrefix(s.prefix), zookeeper.WithSessionTimeout(suiteTTL), zookeeper.WithDialTimeout(20*time.Second),
		zookeeper.WithOperationTimeout(3*time.Second), zookeeper.WithLogger(log))
	if err != nil {
		s.t.Fatal(err)
	}
	c := &connection{Backend: b, link: link}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections = append(s.connections, c)
	return c
}

func (s *stage) connectionOf(b driver.Backend) *connection {
	c, is := b.(*connection)
	if !is {
		s.t.Fatalf("%T is no connection of this harness", b)
	}
	return c
}

// OpenSession implements [driver.Backend].
func (c *connection) OpenSession(
	ctx context.Context, in *driver.OpenSessionRequest,
) (*driver.OpenSessionResponse, error) {
	opened, err := c.Backend.OpenSession(ctx, in)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.session = serversSession(opened.Session)
	}
	return opened, err
}

// serversSession is the servers' session that a session lives on.
func serversSession(session driver.SessionID) int64 {
	digits, _, _ := strings.Cut(string(session), "-")
	id, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		panic(err)
	}
	return int64(id)
}

// take returns the servers' session that a connection has opened sessions on since it was last asked; 0 for none.
func (c *connection) take() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.session
	c.session = 0
	return id
}

// expire ends the servers' session of a connection.
func (s *stage) expire(c *connection) {
	if id := c.take(); id != 0 {
		s.server.ExpireSession(s.tb(), id)
	}
}

func (s *stage) services(name string) string { return s.prefix + "/services/" + name }

// nodes are the paths of an instance's nodes.
func (s *stage) nodes(name, id string) (paths []string) {
	nodes, _, err := s.admin.Children(s.services(name))
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		s.t.Fatal(err)
	}
	for _, node := range nodes {
		if before, _, _ := strings.Cut(node, ","); before == id {
			paths = append(paths, s.services(name)+"/"+node)
		}
	}
	return paths
}

// remove deletes the nodes of an instance.
func (s *stage) remove(name, id string) {
	nodes := s.nodes(name, id)
	for _, path := range nodes {
		s.delete(path)
	}
	if len(nodes) == 0 {
		s.t.Fatalf("there is no %s/%s", name, id)
	}
}

// depose deletes the node of a candidate.
func (s *stage) depose(election string, session driver.SessionID) {
	_, mark, _ := strings.Cut(string(session), "-")
	names, _, err := s.admin.Children(s.prefix + "/elections/" + election)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, node := range names {
		if strings.HasPrefix(node, mark) {
			s.delete(s.prefix + "/elections/" + election + "/" + node)
			return
		}
	}
	s.t.Fatalf("there is no candidate of %s among %q", session, names)
}

func (s *stage) delete(path string) {
	if err := s.admin.Delete(path, -1); err != nil {
		s.t.Fatal(path, err)
	}
}

// wipe deletes everything, that which comes to be meanwhile included.
func (s *stage) wipe() {
	for _, part := range []string{"/services", "/holders", "/elections", "/sessions"} {
		if err := deleteAll(s.admin, s.prefix+part); err != nil {
			s.t.Fatal(err)
		}
	}
}

// deleteAll deletes a node and all below it.
func deleteAll(conn *zk.Conn, path string) error {
	for {
		err := conn.Delete(path, -1)
		if err == nil || errors.Is(err, zk.ErrNoNode) {
			return nil
		}
		if !errors.Is(err, zk.ErrNotEmpty) {
			return err
		}
		names, _, err := conn.Children(path)
		if err != nil && !errors.Is(err, zk.ErrNoNode) {
			return err
		}
		for _, name := range names {
			if err := deleteAll(conn, path+"/"+name); err != nil {
				return err
			}
		}
	}
}

// put stores a node, and all above it.
func (s *stage) put(path string, data []byte) {
	if err := store(s.admin, path, data); err != nil {
		s.t.Fatal(err)
	}
}

func store(conn *zk.Conn, path string, data []byte) error {
	for i := 1; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		_, err := conn.Create(path[:i], nil, zk.FlagPersistent, zk.WorldACL(zk.PermAll))
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return err
		}
	}
	_, err := conn.Create(path, data, zk.FlagPersistent, zk.WorldACL(zk.PermAll))
	return err
}

func (s *stage) foreign(service *reception.Service) {
	data, err := json.Marshal(service)
	if err != nil {
		s.t.Fatal(err)
	}
	s.put(s.services(service.Name)+"/"+service.ID, data)
}
