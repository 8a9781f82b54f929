package etcdtest

import (
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/logutil"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// ttl is the time to live in these tests: one second more than the servers' least.
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
	keeps      = hazards.Keeps
	sees       = hazards.Sees
	healthy    = hazards.Healthy
	ids        = hazards.IDs
	service    = hazards.Service
	prefix     = hazards.Prefix
)

// open makes the vendor's client.
func open(tb testing.TB, endpoints []string, opts ...grpc.DialOption) *clientv3.Client {
	tb.Helper()
	const silent = 5 // a level that nothing the client logs reaches
	logger, err := logutil.CreateDefaultZapLogger(silent)
	if err != nil {
		tb.Fatal(err)
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: logger, DialOptions: opts})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() }) // whatever it says, there is nothing to be done
	return client
}

// dial connects a client to a cluster, below a prefix that is the test's own.
func dial(tb testing.TB, endpoints []string, opts ...etcd.Option) reception.Client {
	tb.Helper()
	client, err := etcd.Dial(tb.Context(), strings.Join(endpoints, ","), append(options(backend.SettingsOf(tb)), opts...)...)
	ok(tb, err)
	tb.Cleanup(func() { _ = client.Close() }) // at the latest; what it says is for tests of Close
	return client
}

// options are what clients have in these tests.
func options(s hazards.Settings) []etcd.Option {
	if s.Operation == 0 {
		s.Operation = 2 * time.Second
	}
	return []etcd.Option{
		etcd.WithPrefix(s.Prefix), etcd.WithTTL(s.TTL), etcd.WithDialTimeout(10 * time.Second),
		etcd.WithOperationTimeout(s.Operation), etcd.WithLogger(s.Logger),
	}
}

// shared is the server that most tests use.
func shared(tb testing.TB) *containers.EtcdCluster {
	tb.Helper()
	return containers.SharedEtcd(tb)
}
