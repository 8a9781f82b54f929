package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

const (
	// back is within what time everything is back after a disturbance.
	back = 2 * time.Second
	// step is the longest that the SDK waits between two attempts, and so what a long outage may add.
	step = 7500 * time.Millisecond
)

// TestH3Outage: the client cannot reach the servers, for less than a lease lives and for much more.
func TestH3Outage(t *testing.T) {
	t.Parallel()
	for _, times := range []float64{0.5, 2, 20} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			t.Parallel()
			server := shared(t)
			link := server.NewLink(t)
			client, other := dial(t, link.Endpoints()), dial(t, server.Endpoints())
			var told recorder
			ok(t, client.Register(t.Context(), service("api", "1"), told.note))
			states, err := client.NewWatcher("api").Start(t.Context())
			ok(t, err)
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
		case state, open := <-states:
			if !open {
				tb.Fatalf("the channel is closed; the last state is %+v", last)
			}
			last = state
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

// TestH3TenOutages: one outage after the other, each longer than the lease.
func TestH3TenOutages(t *testing.T) {
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

// TestH4DeregisterDuringAnOutage: what was deregistered does not come back.
func TestH4DeregisterDuringAnOutage(t *testing.T) {
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

// TestH14RevokedLease, which is H20 too: an administrator revokes the lease that everything lives on, or deletes one's key.
func TestH14RevokedLease(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	admin := open(t, server.Endpoints())
	key := prefix(t) + "/services/api/1"
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	for range 5 {
		found, err := admin.Get(t.Context(), key)
		ok(t, err)
		_, err = admin.Revoke(t.Context(), clientv3.LeaseID(found.Kvs[0].Lease))
		ok(t, err)
		start := time.Now()
		sees(t, back, other, "api", "1")
		t.Logf("back %v after the lease was revoked", time.Since(start))
		_, err = admin.Delete(t.Context(), key)
		ok(t, err)
		start = time.Now()
		sees(t, back, other, "api", "1")
		t.Logf("back %v after the key was deleted", time.Since(start))
		_, err = admin.Put(t.Context(), key, "garbage")
		ok(t, err)
		sees(t, back, other, "api", "1")
	}
}

// TestH20MemberRestarts: the one server is stopped and started, and killed and started.
func TestH20MemberRestarts(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := other.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
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
	}
}

// TestH21CompactionWhileCutOff: what a watch needs is compacted while it is away.
func TestH21CompactionWhileCutOff(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t)
	link := server.NewLink(t)
	client, reader := dial(t, server.Endpoints()), dial(t, link.Endpoints())
	for _, id := range []string{"leaves", "stays"} {
		ok(t, client.Register(t.Context(), service("api", id), nil))
	}
	states, err := reader.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "leaves", "stays")
	for _, cut := range []time.Duration{ttl / 10, 2 * ttl} { // the watch resumes, or begins anew
		undo := link.Cut(t)
		ok(t, client.Deregister(t.Context(), service("api", "leaves")))
		ok(t, client.Register(t.Context(), service("api", "comes"), nil))
		server.Compact(t)
		time.Sleep(cut)
		undo()
		healthy(t, states, "stays", "comes")
		ok(t, client.Deregister(t.Context(), service("api", "comes")))
		ok(t, client.Register(t.Context(), service("api", "leaves"), nil))
		healthy(t, states, "stays", "leaves")
	}
}

// TestH24Neighbours: names of which one begins with the other, and prefixes likewise.
func TestH24Neighbours(t *testing.T) {
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
