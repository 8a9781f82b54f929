package chaostest

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/containers"
)

const (
	consulTTL       = 2 * time.Second
	consulLockDelay = 2 * time.Second
)

var consulGround = ground{
	name: "consul",
	timing: conformance.Timing{
		// After a session the lock-delay is waited for; and what an agent knows is as late as its servers hear of it.
		TTL: consulTTL, Late: consulLockDelay + 3*time.Second, Propagation: 500 * time.Millisecond,
		Backoff: 500 * time.Millisecond, Margin: consulLockDelay / 10, Grace: 3 * time.Second,
	},
	start: func(tb testing.TB) *site {
		tb.Helper()
		cluster := containers.StartConsul(tb, containers.WithNodes(3), containers.WithConsulAgents(1))
		return &site{
			Cluster: cluster.Cluster, single: true, connect: connectConsul,
			expire: func(number int, session driver.SessionID) {
				agent, err := api.NewClient(&api.Config{Address: cluster.Endpoints()[number%len(cluster.Nodes())]})
				if err != nil {
					tb.Fatal(err)
				}
				ctx, cancel := brief(tb)
				defer cancel()
				expireConsul(ctx, agent, session)
			},
		}
	},
}

// consulBackend closes the connections of its client that are idle, too: an agent takes so many and no more.
type consulBackend struct {
	driver.Backend
	transport *http.Transport
}

// Close implements [driver.Backend].
func (b *consulBackend) Close() error {
	defer b.transport.CloseIdleConnections()
	return b.Backend.Close()
}

func connectConsul(endpoints []string, namespace string, log reception.Logger) (driver.Backend, error) {
	config := api.DefaultConfig()
	config.Address = endpoints[0]
	client, err := api.NewClient(config)
	if err != nil {
		return nil, err
	}
	b, err := consul.NewBackend(client, consul.WithPrefix(namespace), consul.WithTTL(consulTTL),
		consul.WithLockDelay(consulLockDelay), consul.WithTTLChecks(), consul.WithOperationTimeout(2*time.Second),
		consul.WithLogger(log))
	if err != nil {
		return nil, err
	}
	return &consulBackend{b, config.Transport}, nil
}

// expireConsul ends a session at its agent: Consul's own, which frees the lock, and the instances and the helper that
// they depend on. What it cannot do because the servers or the agent are in trouble, or because it is done already, it
// leaves: there are other faults for that.
func expireConsul(ctx context.Context, agent *api.Client, session driver.SessionID) {
	if locks, _, err := agent.Session().List(new(api.QueryOptions).WithContext(ctx)); err == nil {
		for _, lock := range locks {
			if lock.Name == "reception "+string(session) {
				_, _ = agent.Session().Destroy(lock.ID, new(api.WriteOptions).WithContext(ctx))
			}
		}
	}
	query := new(api.QueryOptions).WithContext(ctx)
	services, _ := agent.Agent().ServicesWithFilterOpts(fmt.Sprintf("Meta[\"reception-session\"] == %q", session), query)
	helper := "reception-session-" + string(session)
	for id := range services {
		if id != helper {
			_ = agent.Agent().ServiceDeregisterOpts(id, query)
		}
	}
	_ = agent.Agent().ServiceDeregisterOpts(helper, query) // the last to go, as where Consul itself removes it
}
