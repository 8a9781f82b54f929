package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/containers"
)

// A lister is a client that watches "api", and counts the lists that its servers are asked for.
type lister struct {
	reception.Client
	states <-chan *reception.ServiceState
	asked  atomic.Int64
}

// Call implements [reception.Observer].
func (l *lister) Call(ctx context.Context, call driver.Call) (context.Context, func(error)) {
	if call.Operation == driver.OpListServices {
		l.asked.Add(1)
	}
	return ctx, nil
}

// Event implements [reception.Observer].
func (l *lister) Event(reception.Event) {}

func newLister(tb testing.TB, endpoints []string, ttl time.Duration) *lister {
	tb.Helper()
	b, err := etcd.NewBackend(open(tb, endpoints),
		etcd.WithPrefix(prefix(tb)), etcd.WithTTL(ttl), etcd.WithOperationTimeout(grace))
	ok(tb, err)
	l := &lister{}
	l.Client = reception.NewClient(b, reception.WithObserver(l))
	tb.Cleanup(func() { _ = l.Close() }) // at the latest
	l.states, err = l.NewWatcher("api").Start(tb.Context())
	ok(tb, err)
	return l
}

// serves waits until lists are answered without asking the servers.
func (l *lister) serves(tb testing.TB) {
	tb.Helper()
	eventually(tb, 3*ttl+grace, func() string { return "a list is served from the watch" }, func() bool {
		before := l.asked.Load()
		_, err := l.ListServices(tb.Context(), "api")
		return err == nil && l.asked.Load() == before
	})
}

// TestListsOfAWatch is L6: where a service is watched, lists cost no request, for as long as servers say that the watch
// is current, and also when nothing is written at all; and they show each of the client's own writes.
func TestListsOfAWatch(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t)
	other := dial(t, server.Endpoints(), etcd.WithTTL(10*ttl))
	ok(t, other.Register(t.Context(), service("api", "1"), nil))
	reader := newLister(t, server.Endpoints(), 3*ttl) // so that a busy machine does not let a proof run out
	healthy(t, reader.states, "1")
	reader.serves(t)
	before := reader.asked.Load()
	keeps(t, 5*ttl, func() string { return fmt.Sprintf("%d lists were asked for", reader.asked.Load()-before) }, func() bool {
		got, err := ids(t.Context(), reader, "api")
		return err == nil && len(got) == 1 && reader.asked.Load() == before
	})
	for i := range 20 {
		id := fmt.Sprint("mine-", i)
		ok(t, reader.Register(t.Context(), service("api", id), nil))
		if got, err := ids(t.Context(), reader, "api"); err != nil || len(got) != 2 {
			t.Errorf("after a registration: %q, %v", got, err)
		}
		if i%10 == 0 {
			reader.serves(t)
		}
		ok(t, reader.Deregister(t.Context(), service("api", id)))
		if got, err := ids(t.Context(), reader, "api"); err != nil || len(got) != 1 {
			t.Errorf("after a removal: %q, %v", got, err)
		}
		if i%10 == 0 {
			reader.serves(t)
		}
	}
}

// TestListsOfADeafWatch is L6 where the connection swallows everything: what was known is listed for two refresh
// intervals and no longer, although no socket reports an error.
func TestListsOfADeafWatch(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	other, reader := dial(t, server.Endpoints()), newLister(t, link.Endpoints(), ttl)
	ok(t, other.Register(t.Context(), service("api", "1"), nil))
	healthy(t, reader.states, "1")
	reader.serves(t)
	undo := link.Blackhole(t)
	ok(t, other.Deregister(t.Context(), service("api", "1")))
	gone := time.Now()
	list := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 4*grace) // longer than a request may take
		defer cancel()
		_, err := reader.ListServices(ctx, "api")
		return err
	}
	for list() == nil {
		if since := time.Since(gone); since > 2*ttl/3+2*grace {
			t.Fatalf("what was known is still listed after %v", since)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("what was known was listed for %v", time.Since(gone))
	for range 3 {
		if err := list(); !errors.Is(err, reception.ErrUnavailable) {
			t.Errorf("a list in silence: %v", err)
		}
	}
	undo()
	healthy(t, reader.states)
	reader.serves(t)
}
