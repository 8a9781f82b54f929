package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
)

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
