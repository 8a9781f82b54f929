package zookeepertest

import (
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// ttl is the session timeout in these tests: six ticks of the servers.
const ttl = 3 * time.Second

const (
	grace = hazards.Grace
	back  = hazards.Back
	step  = hazards.Step
)

// What all live tests of adapters say, by the names that these tests have for it.
var (
	ok         = hazards.OK
	eventually = hazards.Eventually
	sees       = hazards.Sees
	healthy    = hazards.Healthy
	ids        = hazards.IDs
	service    = hazards.Service
	prefix     = hazards.Prefix
)

// open makes the vendor's client, and waits for its session.
func open(tb testing.TB, endpoints ...string) *zk.Conn {
	tb.Helper()
	conn, events, err := zk.Connect(endpoints, time.Minute, zk.WithLogger(quiet{}), zk.WithLogInfo(false))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(conn.Close)
	limit := time.After(30 * time.Second)
	for conn.State() != zk.StateHasSession {
		select {
		case <-events:
		case <-limit:
			tb.Fatalf("no session at %q", endpoints)
		}
	}
	return conn
}

// quiet is a logger of the vendor's that says nothing.
type quiet struct{}

// Printf implements [zk.Logger].
func (quiet) Printf(string, ...any) {}

// dial connects a client to a cluster, below a prefix that is the test's own.
func dial(tb testing.TB, endpoints []string, opts ...zookeeper.Option) reception.Client {
	tb.Helper()
	client, err := connect(tb, endpoints, opts...)
	ok(tb, err)
	tb.Cleanup(func() { _ = client.Close() }) // at the latest; what it says is for tests of Close
	return client
}

// connect is dial where that is to fail.
func connect(tb testing.TB, endpoints []string, opts ...zookeeper.Option) (reception.Client, error) {
	tb.Helper()
	return zookeeper.Dial(tb.Context(), strings.Join(endpoints, ","), append(options(backend.SettingsOf(tb)), opts...)...)
}

// options are what clients have in these tests.
func options(s hazards.Settings) []zookeeper.Option {
	if s.Operation == 0 {
		s.Operation = 4 * time.Second
	}
	return []zookeeper.Option{
		zookeeper.WithPrefix(s.Prefix), zookeeper.WithSessionTimeout(s.TTL), zookeeper.WithDialTimeout(20 * time.Second),
		zookeeper.WithOperationTimeout(s.Operation), zookeeper.WithLogger(s.Logger),
	}
}

// shared is the server that most tests use.
func shared(tb testing.TB) *containers.ZooKeeperCluster {
	tb.Helper()
	return containers.SharedZooKeeper(tb)
}
