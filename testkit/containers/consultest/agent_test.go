package consultest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// patient is what clients have that are not to lose anything while much happens.
var patient = []consul.Option{
	consul.WithTTLChecks(), consul.WithTTL(10 * time.Second), consul.WithLockDelay(10 * time.Second),
	consul.WithOperationTimeout(5 * time.Second),
}

// TestH17AgentIsWiped: the agent, which is the only server, is wiped. It has lost everything, and gets it back.
func TestH17AgentIsWiped(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t)
	endpoint := server.Endpoints()[0]
	client, other := dial(t, endpoint, consul.WithTTLChecks()), dial(t, endpoint, consul.WithTTLChecks())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := other.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	server.Wipe(t)
	server.AwaitReady(t)
	start := time.Now()
	sees(t, step+4*grace, other, "api", "1")
	t.Logf("back %v after the agent serves again", time.Since(start))
	ok(t, client.Register(t.Context(), service("api", "2"), nil))
	healthy(t, states, "1", "2")
	ok(t, client.Deregister(t.Context(), service("api", "2")))
	healthy(t, states, "1")
}

// TestH17ClientAgentIsWiped is the same with an agent that is no server: the servers keep what it had registered until it is back.
func TestH17ClientAgentIsWiped(t *testing.T) {
	t.Parallel()
	cluster := containers.StartConsul(t, containers.WithConsulAgents(1))
	server, agent := cluster.Node(0), cluster.Node(1)
	client := dial(t, cluster.Link().To(agent).Endpoints()[0], consul.WithTTLChecks())
	other := dial(t, cluster.Link().To(server).Endpoints()[0], consul.WithTTLChecks())
	var told hazards.Recorder
	ok(t, client.Register(t.Context(), service("api", "1"), told.Note))
	sees(t, grace, other, "api", "1")
	admin := open(t, cluster.Link().To(agent).Endpoints()[0])
	for range 2 {
		cluster.Wipe(t, agent)
		start := time.Now()
		eventually(t, step+4*grace, func() string { return "the agent has it" }, func() bool {
			services, err := admin.Agent().ServicesWithFilter(`Service == "api"`)
			return err == nil && len(services) == 1
		})
		sees(t, step+4*grace, other, "api", "1")
		keeps(t, ttl, func() string { return "the list has changed" }, func() bool {
			got, err := ids(t.Context(), other, "api")
			return err == nil && slices.Equal(got, []string{"1"})
		})
		t.Logf("there %v after the agent serves again", time.Since(start)-ttl)
	}
	if told.Count(reception.ErrReplaced) > 0 {
		t.Errorf("the owner was told %v", told.All())
	}
}

// TestH13TakeOverBetweenAgents: two agents take turns, neither of which can overwrite what the other has.
func TestH13TakeOverBetweenAgents(t *testing.T) {
	t.Parallel()
	cluster := containers.StartConsul(t, containers.WithConsulAgents(1))
	clients := []reception.Client{
		dial(t, cluster.Link().To(cluster.Node(0)).Endpoints()[0], consul.WithTTLChecks()),
		dial(t, cluster.Link().To(cluster.Node(1)).Endpoints()[0], consul.WithTTLChecks()),
	}
	reader := dial(t, cluster.Link().To(cluster.Node(0)).Endpoints()[0], consul.WithTTLChecks())
	port := func() int {
		services, err := reader.ListServices(t.Context(), "api")
		ok(t, err)
		if len(services) != 1 {
			t.Fatalf("%d instances, want one", len(services))
		}
		return services[0].Port
	}
	var before *hazards.Recorder
	for i := range 6 {
		told := &hazards.Recorder{}
		s := service("api", "1")
		s.Port = 1000 + i
		ok(t, clients[i%2].Register(t.Context(), s, told.Note))
		if got := port(); got != s.Port {
			t.Errorf("after take-over %d a reader sees that of %d", i, got-1000)
		}
		if before != nil {
			displaced := before
			eventually(t, step+grace, func() string { return "the displaced owner is told" }, func() bool {
				return displaced.Count(reception.ErrReplaced) == 1
			})
		}
		keeps(t, ttl/2, func() string { return "a reader sees the displaced one" }, func() bool { return port() == s.Port })
		before = told
	}
	admin := open(t, cluster.Link().To(cluster.Node(0)).Endpoints()[0])
	eventually(t, grace, func() string { return "the displaced record is removed" }, func() bool {
		all, _, err := admin.Health().Service("api", "", false, nil)
		ok(t, err)
		return len(all) == 1
	})
	ok(t, clients[1].Deregister(t.Context(), service("api", "1")))
	sees(t, grace, reader, "api")
	keeps(t, 2*ttl, func() string { return "a displaced record has risen" }, func() bool {
		got, err := ids(t.Context(), reader, "api")
		return err == nil && len(got) == 0
	})
}

// TestH18HeartbeatsStop: an instance whose process is silent leaves the lists within the TTL, and the catalog when
// Consul removes it.
func TestH18HeartbeatsStop(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	silent, reader := dial(t, link.Endpoints()[0], consul.WithTTLChecks()), dial(t, server.Endpoints()[0], consul.WithTTLChecks())
	name := named(t)
	ok(t, silent.Register(t.Context(), service(name, "1"), nil))
	all := dial(t, server.Endpoints()[0], consul.WithTTLChecks(), consul.WithUnhealthy())
	sees(t, grace, all, name, "1")
	link.Blackhole(t)
	start := time.Now()
	sees(t, ttl+time.Second+grace, reader, name)
	t.Logf("out of the lists after %v, with a TTL of %v", time.Since(start), ttl)
	sees(t, 0, all, name, "1") // who wants to see it does
}

// TestH19ReRegisteringKeepsTheLead: what else a leader does with Consul does not touch its lock.
func TestH19ReRegisteringKeepsTheLead(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client := dial(t, server.Endpoints()[0], patient...)
	name := named(t)
	term, err := client.Campaign(t.Context(), "e", service(name, "1"))
	ok(t, err)
	for i := range 50 {
		ok(t, client.Register(t.Context(), service(name, "1"), nil))
		if i%5 == 4 {
			ok(t, client.Deregister(t.Context(), service(name, "1")))
		}
		if !term.Held() {
			t.Fatalf("after %d registrations the lead is lost: %v", i+1, term.Context().Err())
		}
	}
	ok(t, term.Verify(t.Context()))
}

// TestH19ManyWatchers: agents allow an address 200 connections, and all watchers of a name share
// one.
func TestH19ManyWatchers(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t)
	client, reader := dial(t, server.Endpoints()[0], patient...), dial(t, server.Endpoints()[0], patient...)
	name := named(t)
	const watchers = 300
	var all []<-chan *reception.ServiceState
	for range watchers {
		states, err := reader.NewWatcher(name).Start(t.Context())
		ok(t, err)
		all = append(all, states)
	}
	for i := range 3 {
		id := fmt.Sprint(i)
		ok(t, client.Register(t.Context(), service(name, id), nil))
		for _, states := range all {
			healthy(t, states, id)
		}
		ok(t, client.Deregister(t.Context(), service(name, id)))
		for _, states := range all {
			healthy(t, states)
		}
	}
}

// TestManyRegistrations has hundreds of instances live on one heartbeat.
func TestManyRegistrations(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t)
	client, reader := dial(t, server.Endpoints()[0], patient...), dial(t, server.Endpoints()[0], patient...)
	name := named(t)
	const n = 100
	var registering sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		registering.Go(func() { errs[i] = client.Register(t.Context(), service(name, fmt.Sprint(i)), nil) })
	}
	registering.Wait()
	ok(t, errors.Join(errs...))
	keeps(t, 12*time.Second, func() string { return "some are missing" }, func() bool {
		got, err := ids(t.Context(), reader, name)
		return err == nil && len(got) == n
	})
	start := time.Now()
	ok(t, client.Close())
	sees(t, grace, reader, name)
	t.Logf("%d are gone %v after Close was called", n, time.Since(start))
}
