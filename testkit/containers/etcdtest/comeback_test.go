package etcdtest

import (
	"context"
	"fmt"
	"path"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
)

// A meter counts the requests that a client makes, by method. Streams count when they are opened.
type meter struct {
	mu    sync.Mutex
	calls map[string]int
}

// take returns what was counted since it was last asked.
func (m *meter) take() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.calls
	m.calls = map[string]int{}
	return calls
}

func (m *meter) count(method string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[path.Base(method)]++
}

// metered connects a client whose requests are counted.
func metered(tb testing.TB, endpoints []string) (reception.Client, *meter) {
	tb.Helper()
	m := &meter{calls: map[string]int{}}
	vendor := open(tb, endpoints, grpc.WithChainUnaryInterceptor(func(
		ctx context.Context, method string, in, out any, c *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		m.count(method)
		return call(ctx, method, in, out, c, opts...)
	}))
	client, err := etcd.New(vendor,
		etcd.WithPrefix(prefix(tb)), etcd.WithTTL(ttl), etcd.WithOperationTimeout(4*grace))
	ok(tb, err)
	tb.Cleanup(func() { _ = client.Close() })
	return client, m
}

// TestH20ManyComeBack has a thousand registrations come back at once: after an outage, and after an administrator has revoked
// the lease. They share transactions.
func TestH20ManyComeBack(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	other, admin := dial(t, server.Endpoints()), open(t, server.Endpoints())
	client, requests := metered(t, link.Endpoints())
	const n, most = 1000, 60
	var group errgroup.Group
	group.SetLimit(20)
	for i := range n {
		group.Go(func() error { return client.Register(t.Context(), service("api", fmt.Sprint(i)), nil) })
	}
	ok(t, group.Wait())
	back := func(after string, start time.Time) {
		t.Helper()
		eventually(t, 30*time.Second, func() string { return "all are back" }, func() bool {
			got, err := ids(t.Context(), other, "api")
			return err == nil && len(got) == n
		})
		calls := requests.take()
		t.Logf("after %s, %d are back after %v, with these requests: %v", after, n, time.Since(start), calls)
		if got := calls["Txn"]; got == 0 || got > most {
			t.Errorf("%d records were stored with %d transactions, want no more than %d", n, got, most)
		}
	}
	undo := link.Cut(t)
	sees(t, 3*ttl+grace, other, "api")
	requests.take()
	undo()
	back("an outage", time.Now())

	found, err := admin.Get(t.Context(), prefix(t)+"/services/api/1")
	ok(t, err)
	requests.take()
	start := time.Now()
	_, err = admin.Revoke(t.Context(), clientv3.LeaseID(found.Kvs[0].Lease))
	ok(t, err)
	back("a revoked lease", start)
}
