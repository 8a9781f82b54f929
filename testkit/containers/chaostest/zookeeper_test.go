package chaostest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/containers"
)

// zooKeeperTTL is the sessions' timeout, and six ticks of the servers.
const zooKeeperTTL = 3 * time.Second

var zooKeeperGround = ground{
	name: "zookeeper",
	timing: conformance.Timing{
		// Sessions expire in steps of a tick, and a new leader of the servers begins all of them anew.
		TTL: zooKeeperTTL, Late: 5 * time.Second, Propagation: 300 * time.Millisecond, Backoff: 500 * time.Millisecond,
		Margin: 300 * time.Millisecond, Grace: 3 * time.Second,
	},
	start: func(tb testing.TB) *site {
		tb.Helper()
		return &site{
			Cluster: containers.StartZooKeeper(tb, containers.WithNodes(3)).Cluster,
			connect: func(endpoints []string, namespace string, log reception.Logger) (driver.Backend, error) {
				return zookeeper.DialBackend(context.Background(), strings.Join(endpoints, ","),
					zookeeper.WithPrefix("/"+namespace), zookeeper.WithSessionTimeout(zooKeeperTTL),
					zookeeper.WithDialTimeout(5*time.Second), zookeeper.WithOperationTimeout(2*time.Second), zookeeper.WithLogger(log))
			},
		}
	},
}
