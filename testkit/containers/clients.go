package containers

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
)

// Consul returns a client of the shared Consul server. Its elections are in a
// namespace that no other client has; services have none on Consul, so give them
// names that no other test uses. It is closed at the end of the test.
func Consul(tb testing.TB) reception.Client {
	tb.Helper()
	addr := SharedConsul(tb).Endpoints()[0]
	client, err := consul.Dial(tb.Context(), addr,
		consul.WithPrefix(strings.TrimPrefix(namespace(), "/")), consul.WithTTLChecks())
	return handOver(tb, client, err)
}

// Etcd returns a client of the shared etcd server, in a namespace that no other
// client has. It is closed at the end of the test.
func Etcd(tb testing.TB) reception.Client {
	tb.Helper()
	addr := strings.Join(SharedEtcd(tb).Endpoints(), ",")
	client, err := etcd.Dial(tb.Context(), addr, etcd.WithPrefix(namespace()))
	return handOver(tb, client, err)
}

// ZooKeeper returns a client of the shared ZooKeeper server, in a namespace that
// no other client has. It is closed at the end of the test.
func ZooKeeper(tb testing.TB) reception.Client {
	tb.Helper()
	addr := strings.Join(SharedZooKeeper(tb).Endpoints(), ",")
	client, err := zookeeper.Dial(tb.Context(), addr, zookeeper.WithPrefix(namespace()))
	return handOver(tb, client, err)
}

// ZooKeeperByExhibitor is [ZooKeeper] through an Exhibitor that knows that server.
func ZooKeeperByExhibitor(tb testing.TB) reception.Client {
	tb.Helper()
	e := exhibit(tb, SharedZooKeeper(tb).Endpoints()[0])
	client, err := zookeeper.DialExhibitor(tb.Context(), e.Addr(), zookeeper.WithPrefix(namespace()))
	return handOver(tb, client, err)
}

// exhibit starts an Exhibitor that lists one server.
func exhibit(tb testing.TB, endpoint string) *Exhibitor {
	tb.Helper()
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		tb.Fatalf("containers: %v", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		tb.Fatalf("containers: %v", err)
	}
	return StartExhibitor(tb, number, host)
}

// namespace returns a prefix of its own.
func namespace() string { return "/reception-test/" + uuid.NewString() }

// handOver hands a new client to a test.
func handOver(tb testing.TB, client reception.Client, err error) reception.Client {
	tb.Helper()
	if err != nil {
		tb.Fatalf("containers: %v", err)
	}
	tb.Cleanup(func() {
		if err := client.Close(); err != nil {
			tb.Errorf("containers: close the client: %v", err)
		}
	})
	return client
}
