package etcdtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/logutil"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// ttl is the time to live in these tests: one second more than the servers' least.
const ttl = 3 * time.Second

// grace is what a busy machine adds to any limit.
const grace = 3 * time.Second

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
	client, err := connect(tb, endpoints, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() }) // at the latest; what it says is for tests of Close
	return client
}

// connect is dial for goroutines that are not the test's own.
func connect(tb testing.TB, endpoints []string, opts ...etcd.Option) (reception.Client, error) {
	tb.Helper()
	logger := reception.NewNilLogger()
	if _, test := tb.(*testing.T); test {
		logger = &log{tb: tb}
	}
	return etcd.Dial(tb.Context(), strings.Join(endpoints, ","), append([]etcd.Option{
		etcd.WithPrefix(prefix(tb)), etcd.WithTTL(ttl), etcd.WithDialTimeout(10 * time.Second),
		etcd.WithOperationTimeout(2 * time.Second), etcd.WithLogger(logger),
	}, opts...)...)
}

// prefix is where a test keeps its records.
func prefix(tb testing.TB) string {
	tb.Helper()
	return "/" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '/' {
			return r
		}
		return '-'
	}, tb.Name())
}

// log passes on what a client says while its test runs.
type log struct {
	mu sync.Mutex
	tb testing.TB
}

// Printf implements [reception.Logger].
func (l *log) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tb.Context().Err() == nil {
		l.tb.Logf(format, args...)
	}
}

// service makes an instance.
func service(name, id string) *reception.Service {
	return &reception.Service{ID: id, Name: name, Address: "192.0.2.1", Port: 80}
}

// ids are those that a client lists under name.
func ids(ctx context.Context, client reception.Client, name string) ([]string, error) {
	services, err := client.ListServices(ctx, name)
	var ids []string
	for _, s := range services {
		ids = append(ids, s.ID)
	}
	return ids, err
}

// sees waits until a client lists exactly these instances.
func sees(tb testing.TB, within time.Duration, client reception.Client, name string, want ...string) {
	tb.Helper()
	var got []string
	var err error
	eventually(tb, within, func() string { return fmt.Sprintf("%s has %q, %v; want %q", name, got, err, want) }, func() bool {
		got, err = ids(tb.Context(), client, name)
		return err == nil && slices.Equal(got, want)
	})
}

// eventually waits until a condition holds.
func eventually(tb testing.TB, within time.Duration, what func() string, holds func() bool) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(within); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatalf("not within %v: %s", within, what())
		}
	}
}

// keeps checks that a condition holds for some time.
func keeps(tb testing.TB, during time.Duration, what func() string, holds func() bool) {
	tb.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(during); ; {
		if !holds() {
			tb.Fatalf("before %v were over: %s", during, what())
		}
		select {
		case <-tick.C:
		case <-end:
			return
		}
	}
}

// ok ends the test on an error.
func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// shared is the server that most tests use.
func shared(tb testing.TB) *containers.EtcdCluster {
	tb.Helper()
	return containers.SharedEtcd(tb)
}
