package containers

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
)

// Etcd returns a client of the shared etcd server, in a namespace that no other
// client has. It is closed at the end of the test.
func Etcd(tb testing.TB) reception.Client {
	tb.Helper()
	addr := strings.Join(SharedEtcd(tb).Endpoints(), ",")
	client, err := etcd.Dial(tb.Context(), addr, etcd.WithPrefix(namespace()))
	return handOver(tb, client, err)
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
