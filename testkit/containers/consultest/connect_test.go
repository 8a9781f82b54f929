package consultest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// What clients have in these tests.
const (
	ttl       = 3 * time.Second
	lockDelay = 2 * time.Second
)

const (
	grace = hazards.Grace
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
	named      = hazards.ServiceName // also where a test keeps its elections
)

// open makes the vendor's client.
func open(tb testing.TB, endpoint string) *api.Client {
	tb.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	tb.Cleanup(transport.CloseIdleConnections)
	client, err := api.NewClient(&api.Config{Address: endpoint, Transport: transport})
	ok(tb, err)
	return client
}

// dial connects a client to an agent, below a prefix that is the test's own.
func dial(tb testing.TB, endpoint string, opts ...consul.Option) reception.Client {
	tb.Helper()
	client, err := connect(tb, endpoint, opts...)
	ok(tb, err)
	tb.Cleanup(func() { _ = client.Close() }) // at the latest; what it says is for tests of Close
	return client
}

// connect is dial where that is to fail.
func connect(tb testing.TB, endpoint string, opts ...consul.Option) (reception.Client, error) {
	tb.Helper()
	return consul.Dial(tb.Context(), endpoint, append(options(backend.SettingsOf(tb)), opts...)...)
}

// options are what clients have in these tests. The delay of a lock is no shorter than the life of what holds it where
// that is to outlast much.
func options(s hazards.Settings) []consul.Option {
	if s.Operation == 0 {
		s.Operation = 2 * time.Second
	}
	delay := lockDelay
	if s.TTL > ttl {
		delay = s.TTL
	}
	return []consul.Option{
		consul.WithPrefix(strings.TrimPrefix(s.Prefix, "/")), consul.WithTTL(s.TTL), consul.WithLockDelay(delay),
		consul.WithDialTimeout(10 * time.Second), consul.WithOperationTimeout(s.Operation), consul.WithLogger(s.Logger),
	}
}

// shared is the server that most tests use.
func shared(tb testing.TB) *containers.ConsulCluster {
	tb.Helper()
	return containers.SharedConsul(tb)
}
