package chaostest

import (
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
		return &site{
			Cluster: containers.StartConsul(tb, containers.WithNodes(3), containers.WithConsulAgents(1)).Cluster,
			single:  true,
			connect: func(endpoints []string, namespace string, log reception.Logger) (driver.Backend, error) {
				client, err := api.NewClient(&api.Config{Address: endpoints[0]})
				if err != nil {
					return nil, err
				}
				return consul.NewBackend(client, consul.WithPrefix(namespace), consul.WithTTL(consulTTL),
					consul.WithLockDelay(consulLockDelay), consul.WithTTLChecks(), consul.WithOperationTimeout(2*time.Second),
					consul.WithLogger(log))
			},
		}
	},
}
