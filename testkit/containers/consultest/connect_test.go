package consultest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// What clients have in these tests.
const (
	ttl       = 3 * time.Second
	lockDelay = 2 * time.Second
)

// grace is what a busy machine adds to any limit.
const grace = 3 * time.Second

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

// connect is dial for goroutines that are not the test's own.
func connect(tb testing.TB, endpoint string, opts ...consul.Option) (reception.Client, error) {
	tb.Helper()
	logger := reception.NewNilLogger()
	if _, test := tb.(*testing.T); test {
		logger = &log{tb: tb}
	}
	return consul.Dial(tb.Context(), endpoint, append([]consul.Option{
		consul.WithPrefix(prefix(tb)), consul.WithTTL(ttl), consul.WithLockDelay(lockDelay),
		consul.WithDialTimeout(10 * time.Second), consul.WithOperationTimeout(2 * time.Second), consul.WithLogger(logger),
	}, opts...)...)
}

// prefix is where a test keeps its elections.
func prefix(tb testing.TB) string {
	tb.Helper()
	return named(tb, "")
}

// named is a name that no other test uses.
func named(tb testing.TB, base string) string {
	tb.Helper()
	return base + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
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
	slices.Sort(ids) // what was restored has moved
	return ids, err
}

// sees waits until a client lists exactly these instances.
func sees(tb testing.TB, within time.Duration, client reception.Client, name string, want ...string) {
	tb.Helper()
	slices.Sort(want)
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
	tick := time.NewTicker(20 * time.Millisecond)
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
	tick := time.NewTicker(50 * time.Millisecond)
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
func shared(tb testing.TB) *containers.ConsulCluster {
	tb.Helper()
	return containers.SharedConsul(tb)
}
