package etcdtest

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/containers"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t)
	admin := open(t, server.Endpoints())
	conformance.Run(t, conformance.Harness{
		Name: "etcd",
		Timing: conformance.Timing{
			TTL: ttl, Late: 1500 * time.Millisecond, Propagation: 300 * time.Millisecond, Backoff: 500 * time.Millisecond,
			Margin: ttl / 10, Grace: grace,
		},
		Open: func(t conformance.T, namespace string) *conformance.Cluster {
			s := &stage{t: t, server: server, admin: admin, prefix: "/" + namespace}
			return &conformance.Cluster{
				Connect: func(t conformance.T, log reception.Logger) driver.Backend { return s.connect(t, log) },
				Cut: func(b driver.Backend) func() {
					return s.connectionOf(b).link.Cut(s.tb())
				},
				Freeze: func(b driver.Backend) func() {
					return s.connectionOf(b).link.Blackhole(s.tb())
				},
				Expire: func(b driver.Backend) { s.revoke(s.connectionOf(b).take()) },
				Remove: func(name, id string) { s.delete(s.prefix + "/services/" + name + "/" + id) },
				Depose: func(election string, id driver.SessionID) {
					s.delete(s.prefix + "/elections/" + election + "/" + string(id))
				},
				Wipe: s.wipe,
				Compact: func() {
					s.put(s.prefix+"/touched", "") // a revision can be compacted only once
					server.Compact(s.tb())
				},
				Foreign:    s.foreign,
				Garbage:    func(name string) { s.put(s.prefix+"/services/"+name+"/garbage", "\x00{") },
				HideExpiry: func(b driver.Backend) { s.connectionOf(b).hiding.Store(true) },
				ExpireLate: s.expireLate,
				WakeUps:    s.woken.Load,
				Fair:       true,
			}
		},
	})
}

// A stage is what one case plays on.
type stage struct {
	t      conformance.T
	server *containers.EtcdCluster
	admin  *clientv3.Client
	prefix string
	woken  atomic.Uint64 // reads of a queue, which each candidate makes when it comes and when it is woken

	mu          sync.Mutex
	connections []*connection
}

// A connection is a backend that has a link of its own, and knows which sessions it has opened.
type connection struct {
	driver.Backend

	client *clientv3.Client
	link   *containers.Link
	hiding atomic.Bool // renewals of sessions that have ended are confirmed

	mu       sync.Mutex
	sessions []driver.SessionID
	renewed  map[driver.SessionID]time.Time // when the owner last did
}

// tb is the test of the case.
func (s *stage) tb() testing.TB {
	tb, is := s.t.(testing.TB)
	if !is {
		s.t.Fatalf("%T is no testing.TB", s.t)
	}
	return tb
}

func (s *stage) connect(_ conformance.T, log reception.Logger, opts ...etcd.Option) driver.Backend {
	link := s.server.NewLink(s.tb())
	client := open(s.tb(), link.Endpoints(), s.counts())
	b, err := etcd.NewBackend(client, append([]etcd.Option{
		etcd.WithPrefix(s.prefix), etcd.WithTTL(ttl), etcd.WithOperationTimeout(2 * time.Second), etcd.WithLogger(log),
	}, opts...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	c := &connection{Backend: b, client: client, link: link, renewed: map[driver.SessionID]time.Time{}}
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
	sent := time.Now()
	opened, err := c.Backend.OpenSession(ctx, in)
	if err == nil {
		c.note(opened.Session, sent)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sessions = append(c.sessions, opened.Session)
	}
	return opened, err
}

// take returns the sessions that the connection has opened since it was last asked.
func (c *connection) take() []driver.SessionID {
	c.mu.Lock()
	defer c.mu.Unlock()
	sessions := c.sessions
	c.sessions = nil
	return sessions
}

// revoke ends sessions.
func (s *stage) revoke(sessions []driver.SessionID) {
	for _, session := range sessions {
		id, err := leaseOf(session)
		if err != nil {
			s.t.Fatal(err)
		}
		_, _ = s.admin.Revoke(s.t.Context(), id) // it may have ended on its own
	}
}

// wipe deletes all keys at once. Only then it ends the sessions that there were, so that it takes nothing from those who
// have begun anew.
func (s *stage) wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sessions []driver.SessionID
	for _, c := range s.connections {
		sessions = append(sessions, c.take()...)
	}
	if _, err := s.admin.Delete(s.t.Context(), s.prefix+"/", clientv3.WithPrefix()); err != nil {
		s.t.Fatal(err)
	}
	s.revoke(sessions)
}

func (s *stage) delete(key string) {
	response, err := s.admin.Delete(s.t.Context(), key)
	if err != nil || response.Deleted != 1 {
		s.t.Fatalf("delete %s: %+v, %v", key, response, err)
	}
}

func (s *stage) put(key, value string) {
	if _, err := s.admin.Put(s.t.Context(), key, value); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) foreign(service *reception.Service) {
	value, err := json.Marshal(service)
	if err != nil {
		s.t.Fatal(err)
	}
	s.put(s.prefix+"/services/"+service.Name+"/"+service.ID, string(value))
}
