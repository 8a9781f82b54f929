package consultest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/containers"
)

// timing is what the clients of these tests keep to. What a session outlives its last renewal by is the time that the
// servers take to hear of it, and in an election the lock-delay, which is as long as the TTL.
var timing = conformance.Timing{
	TTL: ttl, Late: ttl + 500*time.Millisecond, Propagation: 300 * time.Millisecond,
	Backoff: 500 * time.Millisecond, Margin: ttl / 10, Grace: 2 * grace,
}

func TestConformance(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t) // one takes 200 connections from an address
	admin := open(t, server.Endpoints()[0])
	conformance.Run(t, conformance.Harness{
		Name:   "consul",
		Timing: timing,
		Open: func(t conformance.T, namespace string) *conformance.Cluster {
			s := &stage{t: t, server: server, admin: admin, prefix: namespace}
			s.with = func(*connection) []consul.Option { return []consul.Option{consul.WithTTLChecks()} }
			return s.cluster()
		},
	})
}

// A stage is what one case plays on.
type stage struct {
	t      conformance.T
	server *containers.ConsulCluster
	admin  *api.Client
	prefix string
	with   func(*connection) []consul.Option // how Consul checks a connection's health

	mu          sync.Mutex
	connections []*connection
}

// A connection is a backend that has a link of its own, and knows which sessions it has opened.
type connection struct {
	driver.Backend

	link *containers.Link
	cut  func() (heal func()) // cuts the way back, by which Consul asks for health; nil where there is none

	mu       sync.Mutex
	sessions []driver.SessionID
}

func (s *stage) cluster() *conformance.Cluster {
	return &conformance.Cluster{
		Connect: s.connect,
		Cut:     func(b driver.Backend) func() { return s.interrupt(b, (*containers.Link).Cut) },
		Freeze:  func(b driver.Backend) func() { return s.interrupt(b, (*containers.Link).Blackhole) },
		Expire:  func(b driver.Backend) { s.expire(s.connectionOf(b)) },
		Remove:  s.remove,
		Depose:  func(election string, _ driver.SessionID) { s.depose(election) },
		Wipe:    s.wipe,
		Sicken:  s.sicken,
		Foreign: func(service *reception.Service) { s.foreign(service, service.ID, service.Attributes) },
		Garbage: func(name string) {
			s.foreign(&reception.Service{Name: name}, "garbage-of-"+name, map[string]string{"reception-write": "garbage"})
		},
	}
}

// tb is the test of the case.
func (s *stage) tb() testing.TB {
	tb, is := s.t.(testing.TB)
	if !is {
		s.t.Fatalf("%T is no testing.TB", s.t)
	}
	return tb
}

func (s *stage) ok(err error) {
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) connect(_ conformance.T, log reception.Logger) driver.Backend {
	c := &connection{link: s.server.NewLink(s.tb())}
	b, err := consul.NewBackend(open(s.tb(), c.link.Endpoints()[0]), append([]consul.Option{
		consul.WithPrefix(s.prefix), consul.WithTTL(ttl), consul.WithLockDelay(ttl),
		consul.WithOperationTimeout(2 * time.Second), consul.WithLogger(log),
	}, s.with(c)...)...)
	s.ok(err)
	c.Backend = b
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections = append(s.connections, c)
	s.t.Cleanup(func() { s.expire(c) }) // what is left would fill the server
	return c
}

func (s *stage) connectionOf(b driver.Backend) *connection {
	c, is := b.(*connection)
	if !is {
		s.t.Fatalf("%T is no connection of this harness", b)
	}
	return c
}

// interrupt puts a fault on a connection, both ways.
func (s *stage) interrupt(b driver.Backend, fault func(*containers.Link, testing.TB) func()) (undo func()) {
	c := s.connectionOf(b)
	heal := fault(c.link, s.tb())
	if c.cut == nil {
		return heal
	}
	// Consul's check fails at the first question that gets lost, and readers then lose sight at once of what a heartbeat
	// would have kept for its TTL. So the way back is cut a little later.
	var back func()
	var mu sync.Mutex
	later := time.AfterFunc(ttl/3, func() {
		mu.Lock()
		defer mu.Unlock()
		back = c.cut()
	})
	return func() {
		later.Stop()
		mu.Lock()
		defer mu.Unlock()
		if back != nil {
			back()
			back = nil
		}
		heal()
	}
}

// OpenSession implements [driver.Backend].
func (c *connection) OpenSession(
	ctx context.Context, in *driver.OpenSessionRequest,
) (*driver.OpenSessionResponse, error) {
	opened, err := c.Backend.OpenSession(ctx, in)
	if err == nil {
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

// expire ends the sessions of a connection, and all that lives on them.
func (s *stage) expire(c *connection) {
	for _, session := range c.take() {
		s.end(session)
	}
}

// end ends a session. Its helper goes last, as Consul itself removes it.
func (s *stage) end(session driver.SessionID) {
	helper := "reception-session-" + string(session)
	for service := range s.services(fmt.Sprintf(`Meta["reception-session"] == %q`, session)) {
		if service != helper {
			s.deregister(service)
		}
	}
	s.deregister(helper)
}

// deregister removes a service from the agent, if it is there.
func (s *stage) deregister(id string) {
	if err := s.admin.Agent().ServiceDeregister(id); err != nil && !strings.Contains(err.Error(), "Unknown service") {
		s.t.Fatal(err)
	}
}

// services are those of the agent that pass a filter.
func (s *stage) services(filter string) map[string]*api.AgentService {
	services, err := s.admin.Agent().ServicesWithFilter(filter)
	s.ok(err)
	return services
}

// instances are the records of an instance, of which there must be one.
func (s *stage) instances(name, id string) map[string]*api.AgentService {
	found := s.services(fmt.Sprintf(`Service == %q and Meta["reception-id"] == %q`, name, id))
	if len(found) == 0 {
		s.t.Fatalf("there is no %s/%s", name, id)
	}
	return found
}

func (s *stage) remove(name, id string) {
	for service := range s.instances(name, id) {
		s.deregister(service)
	}
}

// depose deletes the lock of an election.
func (s *stage) depose(election string) {
	_, err := s.admin.KV().Delete(s.prefix+"/elections/"+election, nil)
	s.ok(err)
}

// wipe removes all that the connections have stored, and their sessions with it.
func (s *stage) wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.connections {
		for _, session := range c.take() {
			s.end(session)
		}
	}
	_, err := s.admin.KV().DeleteTree(s.prefix+"/", nil)
	s.ok(err)
}

// sicken gives an instance a check that fails.
func (s *stage) sicken(name, id string) {
	for service := range s.instances(name, id) {
		s.ok(s.admin.Agent().CheckRegister(&api.AgentCheckRegistration{
			ID: "sick-" + name, Name: "fails", ServiceID: service,
			AgentServiceCheck: api.AgentServiceCheck{TTL: "1h", Status: api.HealthCritical},
		}))
	}
}

// foreign registers a service as other tools do.
func (s *stage) foreign(service *reception.Service, id string, meta map[string]string) {
	s.ok(s.admin.Agent().ServiceRegister(&api.AgentServiceRegistration{
		ID: id, Name: service.Name, Address: service.Address, Port: service.Port, Meta: meta,
	}))
	s.t.Cleanup(func() { s.deregister(id) })
}
