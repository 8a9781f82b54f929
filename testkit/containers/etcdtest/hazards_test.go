package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
)

// TestH6ContextEnds: the connection swallows everything, and contexts end while calls wait. They return at once, long
// before the requests have failed, and whatever lands later is removed.
func TestH6ContextEnds(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	const slow = 20 * time.Second // how long a request may take
	client, other := dial(t, link.Endpoints(), etcd.WithOperationTimeout(slow)), dial(t, server.Endpoints())
	ok(t, client.Register(t.Context(), service("api", "stays"), nil))
	undo := link.Blackhole(t)
	began := time.Now()
	for name, call := range map[string]func(context.Context) error{
		"Register":     func(ctx context.Context) error { return client.Register(ctx, service("api", "1"), nil) },
		"ListServices": func(ctx context.Context) error { _, err := client.ListServices(ctx, "api"); return err },
		"ListNames":    func(ctx context.Context) error { _, err := client.ListNames(ctx); return err },
		"Leader":       func(ctx context.Context) error { _, err := client.Leader(ctx, "e"); return err },
		"Campaign": func(ctx context.Context) error {
			_, err := client.Campaign(ctx, "e", service("api", "1"))
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	if took := time.Since(began); took > slow/2 {
		t.Errorf("the calls took %v", took)
	}
	undo()
	sees(t, step+grace, other, "api", "stays")
	keeps(t, 2*ttl, func() string { return "what was given up shows" }, func() bool {
		got, err := ids(t.Context(), other, "api")
		return err == nil && !slices.Contains(got, "1")
	})
	if _, err := other.Leader(t.Context(), "e"); !errors.Is(err, reception.ErrNoLeader) {
		t.Errorf("after a campaign that was given up: %v", err)
	}
}

// TestH7NobodyReads: a watcher's channel is not read while a lot happens. Nothing waits for it, and what it holds in the
// end is the latest.
func TestH7NobodyReads(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints(), etcd.WithOperationTimeout(4*grace))
	unread, err := client.NewWatcher("api").Start(t.Context())
	ok(t, err)
	read, err := client.NewWatcher("api").Start(t.Context())
	ok(t, err)
	ok(t, client.Register(t.Context(), service("api", "mine"), nil))
	for i := range 300 {
		s := service("api", "theirs")
		s.Port = i + 1
		ok(t, other.Register(t.Context(), s, nil))
	}
	eventually(t, grace, func() string { return "the watcher that is read is up to date" }, func() bool {
		state := <-read
		return len(state.Services) == 2 && slices.ContainsFunc(state.Services, func(s *reception.Service) bool { return s.Port == 300 })
	})
	if state := <-unread; len(state.Services) != 2 || len(state.Added) != 2 ||
		!slices.ContainsFunc(state.Services, func(s *reception.Service) bool { return s.Port == 300 }) {
		t.Errorf("the watcher that was not read holds %+v", state)
	}
	keeps(t, 2*ttl, func() string { return "the registration has lapsed" }, func() bool {
		got, err := ids(t.Context(), other, "api")
		return err == nil && len(got) == 2
	})
}

// TestH9Callbacks: one callback panics and one never returns. Both registrations come back, and others are told.
func TestH9Callbacks(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	client, other := dial(t, link.Endpoints()), dial(t, server.Endpoints())
	release, told := make(chan struct{}), make(chan error, 10)
	defer close(release)
	ok(t, client.Register(t.Context(), service("api", "1"), func(error) { panic("a user's mistake") }))
	ok(t, client.Register(t.Context(), service("api", "2"), func(error) { <-release }))
	ok(t, client.Register(t.Context(), service("api", "3"), func(err error) { told <- err }))
	for range 2 {
		undo := link.Cut(t)
		sees(t, 3*ttl+grace, other, "api")
		undo()
		eventually(t, step+grace, func() string { return "all are back" }, func() bool {
			got, err := ids(t.Context(), other, "api")
			return err == nil && len(got) == 3
		})
		for _, want := range []error{reception.ErrDisconnected, reception.ErrSessionExpired} {
			select {
			case err := <-told:
				if !errors.Is(err, want) {
					t.Errorf("told %v, want %v", err, want)
				}
			case <-time.After(grace):
				t.Errorf("not told of %v", want)
			}
		}
	}
}

// TestH10IllegalContent: what no backend could store is refused before anything is sent, and the connection stands.
func TestH10IllegalContent(t *testing.T) {
	t.Parallel()
	client, requests := metered(t, shared(t).Endpoints())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	large, many := service("api", "2"), service("api", "2")
	large.Attributes = reception.Attributes{"x": strings.Repeat("x", 1<<20)}
	many.Attributes = reception.Attributes{}
	for i := range 65 {
		many.Attributes[fmt.Sprint(i)] = ""
	}
	before := requests.take()["Put"]
	if before != 1 {
		t.Fatalf("a registration was %d writes", before)
	}
	for _, bad := range []*reception.Service{
		large, many, service("/", "2"), service("..", "2"), service("a\x00b", "2"), service("api", "ü"), service("api", "a/b"),
	} {
		if err := client.Register(t.Context(), bad, nil); !errors.Is(err, reception.ErrInvalidService) {
			t.Errorf("Register %.40q/%.40q: %v", bad.Name, bad.ID, err)
		}
	}
	if calls := requests.take(); calls["Put"]+calls["Txn"] > 0 {
		t.Errorf("something was sent: %v", calls)
	}
	ok(t, client.Register(t.Context(), service("api", "3"), nil))
	sees(t, grace, client, "api", "1", "3")
}

// TestH11ForeignEntries: what others have left among the instances is skipped and logged, or listed if it can be read.
func TestH11ForeignEntries(t *testing.T) {
	t.Parallel()
	server := shared(t)
	said := &lines{}
	client := dial(t, server.Endpoints(), etcd.WithLogger(said))
	admin := open(t, server.Endpoints())
	states, err := client.NewWatcher("api").Start(t.Context())
	ok(t, err)
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	for key, value := range map[string]string{
		"bad": "\x00\xff", "empty": "", "list": "[]", "deep/er": `{"address":"192.0.2.9"}`, "bare": `{"port":80}`,
		"tool": `{"address":"192.0.2.9","port":9}`,
	} {
		_, err := admin.Put(t.Context(), prefix(t)+"/services/api/"+key, value)
		ok(t, err)
	}
	sees(t, grace, client, "api", "1", "tool")
	healthy(t, states, "1", "tool")
	for _, key := range []string{"bad", "empty", "list", "bare"} {
		eventually(t, grace, func() string { return key + " was logged" }, func() bool {
			return strings.Contains(said.text(), prefix(t)+"/services/api/"+key)
		})
	}
}

// TestH12LastLeaves: a service that never existed is empty, and so is one that was left by its last instance.
func TestH12LastLeaves(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	states, err := client.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states)
	for range 3 {
		ok(t, other.Register(t.Context(), service("api", "1"), nil))
		healthy(t, states, "1")
		ok(t, other.Deregister(t.Context(), service("api", "1")))
		healthy(t, states)
	}
}

// TestH13SameID: a second process registers the ID of the first. It wins, the first is told once, and nobody fights.
func TestH13SameID(t *testing.T) {
	t.Parallel()
	server := shared(t)
	first, second := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	admin := open(t, server.Endpoints())
	var told recorder
	ok(t, first.Register(t.Context(), service("api", "1"), told.note))
	theirs := service("api", "1")
	theirs.Port = 81
	ok(t, second.Register(t.Context(), theirs, nil))
	found, err := admin.Get(t.Context(), prefix(t)+"/services/api/1")
	ok(t, err)
	revision := found.Kvs[0].ModRevision
	keeps(t, 3*ttl, func() string { return "the record was written again" }, func() bool {
		found, err := admin.Get(t.Context(), prefix(t)+"/services/api/1")
		return err == nil && len(found.Kvs) == 1 && found.Kvs[0].ModRevision == revision
	})
	if got := told.all(); len(got) != 1 || !errors.Is(got[0], reception.ErrReplaced) {
		t.Errorf("the first one is told %v", got)
	}
	if err := first.Deregister(t.Context(), service("api", "1")); !errors.Is(err, reception.ErrNotRegistered) {
		t.Errorf("the first one deregisters: %v", err)
	}
	sees(t, grace, second, "api", "1")
}

// TestH22CandidacyRemoved: while three stand for an election, an administrator deletes the key of the one that is next, or
// revokes its lease. It must not lead on the strength of a candidacy that is gone: whoever leads is at the head of the
// queue, and alone.
func TestH22CandidacyRemoved(t *testing.T) {
	t.Parallel()
	server := shared(t)
	admin := open(t, server.Endpoints())
	patient := etcd.WithTTL(4 * ttl) // no term is to end on its own
	for _, revoked := range []bool{false, true} {
		election := fmt.Sprint("revoked-", revoked)
		queue := prefix(t) + "/elections/" + election + "/"
		ctx, cancel := context.WithTimeout(t.Context(), 20*ttl)
		t.Cleanup(cancel)
		holder, err := dial(t, server.Endpoints(), patient).Campaign(ctx, election, service("api", "first"))
		ok(t, err)
		terms := make(chan reception.Term, 2)
		for i, id := range []string{"second", "third"} {
			client := dial(t, server.Endpoints(), patient)
			go func() {
				if term, err := client.Campaign(ctx, election, service("api", id)); err == nil {
					terms <- term
				}
			}()
			queued(t, admin, queue, int64(i)+2)
		}
		found, err := admin.Get(t.Context(), queue, clientv3.WithPrefix(),
			clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
		ok(t, err)
		if next := found.Kvs[1]; revoked {
			_, err = admin.Revoke(t.Context(), clientv3.LeaseID(next.Lease))
		} else {
			_, err = admin.Delete(t.Context(), string(next.Key))
		}
		ok(t, err)
		ok(t, holder.Resign(t.Context()))
		last := holder.Token()
		for range 2 { // the third one, and then the second, which stands again
			term := <-terms
			if term.Token() <= last {
				t.Errorf("token %d follows %d", term.Token(), last)
			}
			last = term.Token()
			ok(t, term.Verify(t.Context()))
			found, err := admin.Get(t.Context(), queue, clientv3.WithPrefix(), clientv3.WithLimit(1),
				clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
			ok(t, err)
			if head := found.Kvs[0]; uint64(head.CreateRevision) != term.Token() {
				t.Errorf("the term's token is %d, at the head is %q of revision %d", term.Token(), head.Key, head.CreateRevision)
			}
			keeps(t, ttl/2, func() string { return "there are two leaders" }, func() bool { return len(terms) == 0 })
			ok(t, term.Resign(t.Context()))
		}
	}
}

// queued waits until an election has n candidates.
func queued(tb testing.TB, admin *clientv3.Client, queue string, n int64) {
	tb.Helper()
	eventually(tb, ttl+grace, func() string { return fmt.Sprintf("%d are queued", n) }, func() bool {
		found, err := admin.Get(tb.Context(), queue, clientv3.WithPrefix(), clientv3.WithCountOnly())
		return err == nil && found.Count == n
	})
}

// TestH23ResignInTrouble: a leader resigns with a context that has ended, and while it is cut off. Its term is over at
// once, and its key is gone as soon as can be.
func TestH23ResignInTrouble(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	client, other := dial(t, link.Endpoints()), dial(t, server.Endpoints())
	free := func(within time.Duration) {
		t.Helper()
		eventually(t, within, func() string { return "nobody leads" }, func() bool {
			_, err := other.Leader(t.Context(), "e")
			return errors.Is(err, reception.ErrNoLeader)
		})
	}
	term, err := client.Campaign(t.Context(), "e", service("api", "1"))
	ok(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := term.Resign(ended); !errors.Is(err, context.Canceled) || term.Held() {
		t.Errorf("Resign with a context that has ended: %v, held: %v", err, term.Held())
	}
	free(grace)

	term, err = client.Campaign(t.Context(), "e", service("api", "1"))
	ok(t, err)
	undo := link.Blackhole(t)
	brief, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := term.Resign(brief); !errors.Is(err, reception.ErrUnavailable) || term.Held() {
		t.Errorf("Resign without a connection: %v, held: %v", err, term.Held())
	}
	free(2*ttl + grace)
	if err := term.Resign(t.Context()); !errors.Is(err, reception.ErrNotLeader) {
		t.Errorf("Resign of what was resigned: %v", err)
	}
	undo()
	again, err := client.Campaign(t.Context(), "e", service("api", "1"))
	ok(t, err)
	ok(t, again.Resign(t.Context()))
}
