package etcdtest

import (
	"testing"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
	"github.com/go-reception/sdk/testkit/differential"
)

func TestDifferential(t *testing.T) {
	t.Parallel()
	differential.Run(t, differential.Harness{
		Name: "etcd",
		Open: func(t *testing.T) *differential.Cluster {
			t.Helper()
			server := shared(t)
			s := &stage{t: t, server: server, admin: open(t, server.Endpoints()), prefix: prefix(t)}
			return &differential.Cluster{
				Connect: func() driver.Backend {
					return s.connect(t, hazards.LogOf(t), etcd.WithTTL(differential.TTL), etcd.WithOperationTimeout(grace))
				},
				Cut:    func(b driver.Backend) func() { return s.connectionOf(b).link.Cut(t) },
				Expire: func(b driver.Backend) { s.revoke(s.connectionOf(b).take()) },
			}
		},
	})
}
