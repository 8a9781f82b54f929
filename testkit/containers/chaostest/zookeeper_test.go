package chaostest

import (
	"context"
	"strconv"
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
		cluster := containers.StartZooKeeper(tb, containers.WithNodes(3))
		return &site{
			Cluster: cluster.Cluster,
			expire: func(_ int, session driver.SessionID) {
				// What is called a session here lives on the connection's.
				owner, _, _ := strings.Cut(string(session), "-")
				id, err := strconv.ParseUint(owner, 16, 64)
				if err != nil {
					tb.Fatal(err)
				}
				ctx, cancel := brief(tb)
				defer cancel()
				_ = cluster.TryExpireSession(ctx, int64(id)) // it may have ended on its own, or the servers be in trouble
			},
			connect: func(endpoints []string, namespace string, log reception.Logger) (driver.Backend, error) {
				return zookeeper.DialBackend(context.Background(), strings.Join(endpoints, ","),
					zookeeper.WithPrefix("/"+namespace), zookeeper.WithSessionTimeout(zooKeeperTTL),
					zookeeper.WithDialTimeout(5*time.Second), zookeeper.WithOperationTimeout(2*time.Second), zookeeper.WithLogger(log))
			},
		}
	},
}
