package consultest

import (
	"testing"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
	"github.com/go-reception/sdk/testkit/differential"
)

func TestDifferential(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t)
	differential.Run(t, differential.Harness{
		Name:      "consul",
		Sequences: 8,
		AtOnce:    4, // a server takes 200 connections from one address
		Open: func(t *testing.T) *differential.Cluster {
			t.Helper()
			s := &stage{t: t, server: server, admin: open(t, server.Endpoints()[0]), prefix: named(t)}
			s.with = func(*connection) []consul.Option {
				// So long that a busy machine costs nobody a session, nor a cut the lead; a lead that is lost leaves the election
				// waiting for as long.
				return []consul.Option{consul.WithTTLChecks(), consul.WithTTL(differential.TTL), consul.WithLockDelay(differential.TTL / 2)}
			}
			return &differential.Cluster{
				Connect: func() driver.Backend { return s.connect(t, hazards.LogOf(t)) },
				Cut:     s.cluster().Cut,
				Expire:  func(b driver.Backend) { s.expire(s.connectionOf(b)) },
			}
		},
	})
}
