package zookeepertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

const (
	// back is within what time everything is back after a disturbance.
	back = 2 * time.Second
	// step is the longest that the SDK waits between two attempts, and so what a long outage may add.
	step = 7500 * time.Millisecond
)

// TestOutage is H3: the client cannot reach the servers, for less than a session lives and for much more.
func TestOutage(t *testing.T) {
	t.Parallel()
	// A quarter of the time-out, and a sixth, may have passed when a renewal counts; so this is short of what is left.
	for _, times := range []float64{0.15, 2, 20} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			t.Parallel()
			server := shared(t)
			link := server.NewLink(t)
			client, other := dial(t, link.Endpoints()), dial(t, server.Endpoints())
			var told recorder
			ok(t, client.Register(t.Context(), service("api", "1"), told.note))
			states, err := client.NewWatcher("api").Start(t.Context())
			ok(t, err)
			time.Sleep(ttl / 2) // until the first renewals have settled
			undo := link.Cut(t)
			during := time.Duration(times * float64(ttl))
			time.Sleep(during)
			undo()
			start := time.Now()
			sees(t, step+grace, other, "api", "1")
			t.Logf("back after %v", time.Since(start))
			keeps(t, ttl, func() string { return "the list has changed" }, func() bool {
				got, err := ids(t.Context(), other, "api")
				return err == nil && slices.Equal(got, []string{"1"})
			})
			healthy(t, states, "1")
			switch got := told.all(); {
			case times < 1 && len(got) > 0:
				t.Errorf("an outage that is short of the TTL is told as %v", got)
			case times > 1 && (len(got) != 2 || !errors.Is(got[0], reception.ErrDisconnected) || !errors.Is(got[1], reception.ErrSessionExpired)):
				t.Errorf("the outage is told as %v", got)
			}
		})
	}
}

// recorder keeps what a callback is told.
type recorder struct {
	mu   sync.Mutex
	errs []error
}

func (r *recorder) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

func (r *recorder) all() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errs)
}

// healthy waits for a state without an error that has exactly these instances, in whatever order.
func healthy(tb testing.TB, states <-chan *reception.ServiceState, want ...string) {
	tb.Helper()
	deadline := time.After(step + grace)
	var last *reception.ServiceState
	for {
		select {
		case last = <-states:
		case <-deadline:
			tb.Fatalf("no healthy state with %q; the last is %+v", want, last)
		}
		var got []string
		for _, s := range last.Services {
			got = append(got, s.ID)
		}
		if slices.Sort(got); last.Err == nil && slices.Equal(got, slices.Sorted(slices.Values(want))) {
			return
		}
	}
}

// TestTenOutages is H3's endurance: one outage after the other, each longer than the session.
func TestTenOutages(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	client, other := dial(t, link.Endpoints()), dial(t, server.Endpoints())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	var longest time.Duration
	for range 10 {
		undo := link.Cut(t)
		sees(t, 3*ttl, other, "api")
		undo()
		start := time.Now()
		sees(t, back+grace, other, "api", "1")
		longest = max(longest, time.Since(start))
	}
	t.Logf("back after %v at the latest", longest)
}

// TestManyComeBack has a thousand registrations come back at once.
func TestManyComeBack(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	client, other := dial(t, link.Endpoints()), dial(t, server.Endpoints())
	const n = 1000
	for i := range n {
		ok(t, client.Register(t.Context(), service("api", fmt.Sprint(i)), nil))
	}
	undo := link.Cut(t)
	sees(t, 3*ttl, other, "api")
	undo()
	start := time.Now()
	eventually(t, 10*time.Second, func() string { return "all are back" }, func() bool {
		got, err := ids(t.Context(), other, "api")
		return err == nil && len(got) == n
	})
	t.Logf("%d are back after %v", n, time.Since(start))
}

// TestDeregisterDuringAnOutage is H4: what was deregistered does not come back.
func TestDeregisterDuringAnOutage(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	client, other := dial(t, link.Endpoints()), dial(t, server.Endpoints())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	ok(t, client.Register(t.Context(), service("api", "2"), nil))
	undo := link.Cut(t)
	ctx, cancel := context.WithTimeout(t.Context(), ttl/2)
	defer cancel()
	if err := client.Deregister(ctx, service("api", "1")); !errors.Is(err, reception.ErrUnavailable) {
		t.Errorf("Deregister without a connection: %v", err)
	}
	sees(t, 3*ttl, other, "api")
	undo()
	sees(t, back+grace, other, "api", "2")
	keeps(t, 3*ttl, func() string { return "an instance has risen" }, func() bool {
		got, err := ids(t.Context(), other, "api")
		return err == nil && slices.Equal(got, []string{"2"})
	})
}

// TestServerRestarts has the one server be stopped and started, and killed and started.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	server := containers.StartZooKeeper(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := other.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	var token uint64 // H15: it grows over restarts of the server, too
	for i, fault := range []func(testing.TB) func(){server.Node(0).Stop, server.Node(0).Kill} {
		start := fault(t)
		time.Sleep(ttl / 2)
		start()
		server.AwaitReady(t)
		sees(t, back+grace, other, "api", "1")
		id := fmt.Sprintf("another-%d", i)
		ok(t, client.Register(t.Context(), service("api", id), nil))
		healthy(t, states, "1", id)
		ok(t, client.Deregister(t.Context(), service("api", id)))
		healthy(t, states, "1")
		term, err := client.Campaign(t.Context(), "e", service("e", "1"))
		ok(t, err)
		if term.Token() <= token {
			t.Errorf("token %d follows %d", term.Token(), token)
		}
		token = term.Token()
		ok(t, term.Resign(t.Context()))
	}
}

// TestNeighbours has names of which one begins with the other, not get into each other's way.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client := dial(t, server.Endpoints())
	names := []string{"svc", "svc2", "svc-2", "svc.2", "Svc", "svc0"}
	for _, name := range names {
		ok(t, client.Register(t.Context(), service(name, "of-"+name), nil))
	}
	for _, name := range names {
		sees(t, grace, client, name, "of-"+name)
	}
	got, err := client.ListNames(t.Context())
	ok(t, err)
	if slices.Sort(names); !slices.Equal(got, names) {
		t.Errorf("the names are %q", got)
	}
}
