package zookeepertest

import (
	"testing"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
	"github.com/go-reception/sdk/testkit/differential"
)

func TestDifferential(t *testing.T) {
	t.Parallel()
	// The longest timeout that the servers grant, so that a busy machine costs nobody a session.
	patiently := func(tb testing.TB, link *containers.Link, opts ...zookeeper.Option) (driver.Backend, error) {
		tb.Helper()
		return directly(tb, link, append(opts, zookeeper.WithSessionTimeout(differential.TTL))...)
	}
	differential.Run(t, differential.Harness{
		Name: "zookeeper",
		Open: func(t *testing.T) *differential.Cluster {
			t.Helper()
			server := shared(t)
			s := &stage{t: t, server: server, admin: open(t, server.Endpoints()...), prefix: prefix(t), dial: patiently}
			return &differential.Cluster{
				Connect: func() driver.Backend { return s.connect(t, hazards.LogOf(t)) },
				Cut:     func(b driver.Backend) func() { return s.connectionOf(b).link.Cut(t) },
				Expire:  func(b driver.Backend) { s.expire(s.connectionOf(b)) },
			}
		},
	})
}
