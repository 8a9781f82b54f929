package zookeepertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// ttl is the session timeout in these tests: six ticks of the servers.
const ttl = 3 * time.Second

// grace is what a busy machine adds to any limit.
const grace = 3 * time.Second

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
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() }) // at the latest; what it says is for tests of Close
	return client
}

// connect is dial for goroutines that are not the test's own.
func connect(tb testing.TB, endpoints []string, opts ...zookeeper.Option) (reception.Client, error) {
	tb.Helper()
	logger := reception.NewNilLogger()
	if _, test := tb.(*testing.T); test {
		logger = &log{tb: tb}
	}
	return zookeeper.Dial(tb.Context(), strings.Join(endpoints, ","), append([]zookeeper.Option{
		zookeeper.WithPrefix(prefix(tb)), zookeeper.WithSessionTimeout(ttl), zookeeper.WithDialTimeout(20 * time.Second),
		zookeeper.WithOperationTimeout(4 * time.Second), zookeeper.WithLogger(logger),
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
func shared(tb testing.TB) *containers.ZooKeeperCluster {
	tb.Helper()
	return containers.SharedZooKeeper(tb)
}
