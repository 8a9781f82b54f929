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
)

// step is the longest that the SDK waits between two attempts, and so what a long outage may add.
const step = 7500 * time.Millisecond

// patient is what clients have that are not to lose anything while much happens.
var patient = []consul.Option{
	consul.WithTTLChecks(), consul.WithTTL(10 * time.Second), consul.WithLockDelay(10 * time.Second),
	consul.WithOperationTimeout(5 * time.Second),
}

// recorder keeps what a callback is told.
type recorder struct {
	mu   sync.Mutex
	errs []error
}

func (r *recorder) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

// count is how often a kind of error was told.
func (r *recorder) count(kind error) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, err := range r.errs {
		if errors.Is(err, kind) {
			n++
		}
	}
	return n
}

// healthy waits for a state without an error that has exactly these instances, in whatever order.
func healthy(tb testing.TB, states <-chan *reception.ServiceState, want ...string) {
	tb.Helper()
	deadline := time.After(step + 4*grace)
	var last *reception.ServiceState
	for {
		select {
		case last = <-states:
		case <-deadline:
			tb.Fatalf("no healthy state with %q; the last is %+v", want, last)
		}
		var got []string
		for _, s := range last.Services {
			got = append(got, s.ID)
		}
		if slices.Sort(got); last.Err == nil && slices.Equal(got, slices.Sorted(slices.Values(want))) {
			return
		}
	}
}

// TestAgentRestarts is H17: the agent is stopped, killed, and wiped, and started again. A wiped one, which is the only
// server here, has lost everything.
func TestAgentRestarts(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t)
	endpoint := server.Endpoints()[0]
	client, other := dial(t, endpoint, consul.WithTTLChecks()), dial(t, endpoint, consul.WithTTLChecks())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := other.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	for what, restart := range map[string]func(){
		"stopped": func() { server.Node(0).Stop(t)() },
		"killed":  func() { server.Node(0).Kill(t)() },
		"wiped":   func() { server.Wipe(t) },
	} {
		restart()
		server.AwaitReady(t)
		start := time.Now()
		sees(t, step+4*grace, other, "api", "1")
		t.Logf("back %v after the agent, which was %s, serves again", time.Since(start), what)
		ok(t, client.Register(t.Context(), service("api", what), nil))
		healthy(t, states, "1", what)
		ok(t, client.Deregister(t.Context(), service("api", what)))
		healthy(t, states, "1")
	}
}

// TestClientAgentIsWiped is H17 with an agent that is no server: the servers keep what it had registered until it is back.
func TestClientAgentIsWiped(t *testing.T) {
	t.Parallel()
	cluster := containers.StartConsul(t, containers.WithConsulAgents(1))
	server, agent := cluster.Node(0), cluster.Node(1)
	client := dial(t, cluster.Link().To(agent).Endpoints()[0], consul.WithTTLChecks())
	other := dial(t, cluster.Link().To(server).Endpoints()[0], consul.WithTTLChecks())
	var told recorder
	ok(t, client.Register(t.Context(), service("api", "1"), told.note))
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
	if told.count(reception.ErrReplaced) > 0 {
		t.Errorf("the owner was told %v", told.errs)
	}
}

// TestTakeOverBetweenAgents is H13 on two agents, neither of which can overwrite what the other has.
func TestTakeOverBetweenAgents(t *testing.T) {
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
	var before *recorder
	for i := range 6 {
		told := &recorder{}
		s := service("api", "1")
		s.Port = 1000 + i
		ok(t, clients[i%2].Register(t.Context(), s, told.note))
		if got := port(); got != s.Port {
			t.Errorf("after take-over %d a reader sees that of %d", i, got-1000)
		}
		if before != nil {
			displaced := before
			eventually(t, step+grace, func() string { return "the displaced owner is told" }, func() bool {
				return displaced.count(reception.ErrReplaced) == 1
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

// TestLeaderOfTheServersIsKilled has a cluster of three lose its leader while a client works with one of the others.
func TestLeaderOfTheServersIsKilled(t *testing.T) {
	t.Parallel()
	cluster := containers.StartConsul(t, containers.WithNodes(3))
	mine := cluster.Link().To(cluster.Follower(t)).Endpoints()[0]
	client, reader := dial(t, mine, patient...), dial(t, mine, patient...)
	var told recorder
	ok(t, client.Register(t.Context(), service("api", "1"), told.note))
	states, err := reader.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	term, err := client.Campaign(t.Context(), "e", service("api", "1"))
	ok(t, err)
	undo := cluster.Leader(t).Kill(t)
	start := time.Now()
	eventually(t, time.Minute, func() string { return "somebody can register" }, func() bool {
		return client.Register(t.Context(), service("api", "2"), nil) == nil
	})
	t.Logf("the servers take registrations again after %v", time.Since(start))
	healthy(t, states, "1", "2")
	next, err := reader.Campaign(t.Context(), "another", service("api", "2"))
	ok(t, err)
	ok(t, next.Verify(t.Context()))
	if term.Held() {
		ok(t, term.Verify(t.Context()))
	}
	undo()
	cluster.AwaitReady(t)
	sees(t, step, reader, "api", "1", "2")
}

// TestHeartbeatsStop is H18: an instance whose process is silent leaves the lists within the TTL, and the catalog when
// Consul removes it.
func TestHeartbeatsStop(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	silent, reader := dial(t, link.Endpoints()[0], consul.WithTTLChecks()), dial(t, server.Endpoints()[0], consul.WithTTLChecks())
	name := named(t, "api")
	ok(t, silent.Register(t.Context(), service(name, "1"), nil))
	all := dial(t, server.Endpoints()[0], consul.WithTTLChecks(), consul.WithUnhealthy())
	sees(t, grace, all, name, "1")
	link.Blackhole(t)
	start := time.Now()
	sees(t, ttl+time.Second+grace, reader, name)
	t.Logf("out of the lists after %v, with a TTL of %v", time.Since(start), ttl)
	sees(t, 0, all, name, "1") // who wants to see it does
}

// TestReRegisteringKeepsTheLead is the second half of H19: what else a leader does with Consul does not touch its lock.
func TestReRegisteringKeepsTheLead(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client := dial(t, server.Endpoints()[0], patient...)
	name := named(t, "api")
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

// TestManyWatchers is the third part of H19: agents allow an address 200 connections, and all watchers of a name share
// one.
func TestManyWatchers(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t)
	client, reader := dial(t, server.Endpoints()[0], patient...), dial(t, server.Endpoints()[0], patient...)
	name := named(t, "api")
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
	name := named(t, "api")
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
