package consultest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/testcontainers/testcontainers-go"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// backend is Consul, as the hazards see it. Its candidates have a check of 2 s, beside a lock-delay of 2 s.
var backend = hazards.Backend{
	Name: "consul", TTL: ttl, TermTTL: 2 * time.Second, SideBySide: 6, Trials: 20, Together: 5, Spare: 1,
	ToldOfOutage: []error{reception.ErrDisconnected, reception.ErrSessionExpired},
	Shared: func(tb testing.TB) *containers.Cluster {
		tb.Helper()
		return containers.SharedConsul(tb).Cluster
	},
	Start: func(tb testing.TB, opts ...testcontainers.ContainerCustomizer) *containers.Cluster {
		tb.Helper()
		return containers.StartConsul(tb, opts...).Cluster
	},
	Ensemble: func(tb testing.TB) *containers.Cluster {
		tb.Helper()
		return containers.StartConsul(tb, containers.WithNodes(3), containers.WithConsulAgents(1)).Cluster
	},
	Entry: func(cluster *containers.Cluster) []string { return cluster.Link().To(cluster.Node(3)).Endpoints() },
	Split: agentAlone,
	Connect: func(ctx context.Context, endpoints []string, s hazards.Settings) (reception.Client, error) {
		return consul.Dial(ctx, endpoints[0], append(options(s), consul.WithTTLChecks())...)
	},
	Whole: whole,
	Admin: administer,
	Lacks: map[hazards.Ability]string{
		hazards.Recreate: "a lock is a key of its own, and has no parent that could be deleted",
		hazards.CountWatches: "a server does not tell how many queries wait; but each of them is a connection of the " +
			"client's, and so one of the descriptors that are counted",
	},
}

// agentAlone cuts an agent off from the servers. It answers every heartbeat, and the servers free the lock when they find
// that it has failed.
func agentAlone(tb testing.TB, cluster *containers.Cluster, _ int) hazards.Split {
	tb.Helper()
	agent := cluster.Node(3)
	return hazards.Split{
		Holder: agent, Rest: cluster.Nodes()[:1],
		Cut: func() func() { return cluster.Isolate(tb, agent) },
	}
}

// whole waits until all servers vote. One that was dead is removed from the voters, and is one of them again when it has been
// well for ten seconds.
func whole(tb testing.TB, cluster *containers.Cluster) {
	tb.Helper()
	operator := open(tb, cluster.Endpoints()[0]).Operator()
	eventually(tb, 30*time.Second, func() string { return "a server may fail again" }, func() bool {
		health, err := operator.AutopilotServerHealth(nil)
		return err == nil && health.FailureTolerance > 0
	})
}

func administer(tb testing.TB, server *containers.Cluster, prefix string) hazards.Admin {
	tb.Helper()
	s := &stage{t: tb, admin: open(tb, server.Endpoints()[0]), prefix: strings.TrimPrefix(prefix, "/")}
	return hazards.Admin{
		Remove: s.remove,
		End: func(name, id string) {
			for _, service := range s.instances(name, id) {
				s.end(driver.SessionID(service.Meta["reception-session"]))
			}
		},
		Depose: s.depose,
		Overwrite: func(name, id string) {
			for key := range s.instances(name, id) {
				ok(tb, s.admin.Agent().ServiceRegister(&api.AgentServiceRegistration{
					ID: key, Name: name, Meta: map[string]string{"reception-write": "garbage"},
				}))
			}
		},
		Spoil: func(name string) []string {
			garbage := "garbage-of-" + name
			s.foreign(&reception.Service{Name: name}, garbage, map[string]string{"reception-write": "garbage"})
			return []string{garbage}
		},
		Plant: func(service *reception.Service) { s.foreign(service, service.ID, nil) },
		Version: func(name, id string) string {
			entries, _, err := s.admin.Health().Service(name, "", true, &api.QueryOptions{RequireConsistent: true})
			ok(tb, err)
			version := ""
			for _, e := range entries {
				if e.Service.Meta["reception-id"] == id {
					version += fmt.Sprintf("%s@%d ", e.Service.ID, e.Service.ModifyIndex)
				}
			}
			return version
		},
	}
}
