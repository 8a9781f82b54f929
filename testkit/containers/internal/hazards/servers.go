package hazards

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// ServerRestarts is what servers do: the only one is stopped in good order, and killed, and started again on its data half a
// TTL later. The instance is listed soon after it serves, a watch of it goes on through what others do next, and the next
// term's token is greater than those before.
func ServerRestarts(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Start(t), ServiceName(t)
	client, other := b.dial(t, server.Endpoints()), b.dial(t, server.Endpoints())
	OK(t, client.Register(t.Context(), Service(name, "1"), nil))
	states, err := other.NewWatcher(name).Start(t.Context())
	OK(t, err)
	Healthy(t, states, "1")
	var token uint64
	for i, fault := range []func(testing.TB) func(){server.Node(0).Stop, server.Node(0).Kill} {
		start := fault(t)
		time.Sleep(b.TTL / 2)
		start()
		server.AwaitReady(t)
		serving := time.Now()
		Sees(t, Back+Grace, other, name, "1")
		t.Logf("listed %v after the server serves again", time.Since(serving))
		id := fmt.Sprint("another-", i)
		OK(t, client.Register(t.Context(), Service(name, id), nil))
		Healthy(t, states, "1", id)
		OK(t, client.Deregister(t.Context(), Service(name, id)))
		Healthy(t, states, "1")
		term, err := client.Campaign(t.Context(), "e", Service(name, "1"))
		OK(t, err)
		if term.Token() <= token {
			t.Errorf("token %d follows %d", term.Token(), token)
		}
		token = term.Token()
		OK(t, term.Resign(t.Context()))
	}
}

// ServersLeaderIsKilled has the leader of three servers be killed, twice, while one leads an election and another one waits.
// The servers elect another leader and take writes again. The instance that was there is listed, a watch goes on to what
// comes, and the term is held on, or it ends before its successor's begins.
func ServersLeaderIsKilled(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	cluster, name := b.Ensemble(t), ServiceName(t)
	client, other := b.dial(t, b.Entry(cluster)), b.dial(t, b.Entry(cluster))
	OK(t, client.Register(t.Context(), Service(name, "1"), nil))
	states, err := other.NewWatcher(name).Start(t.Context())
	OK(t, err)
	Healthy(t, states, "1")
	for i := range 2 {
		r, err := b.startRace(t.Context(), client, other, fmt.Sprint("e", i))
		OK(t, err)
		b.phase()
		restart := cluster.Leader(t).Kill(t)
		killed := time.Now()
		Eventually(t, 20*time.Second, func() string { return "the servers take writes again" }, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			return other.Register(ctx, Service(name, "2"), nil) == nil
		})
		t.Logf("the servers take writes again after %v", time.Since(killed))
		Eventually(t, 20*time.Second, func() string { return "both are listed" }, func() bool {
			got, err := IDs(t.Context(), client, name)
			return err == nil && slices.Equal(slices.Sorted(slices.Values(got)), []string{"1", "2"})
		})
		Healthy(t, states, "1", "2")
		t.Logf("the watch is healthy after %v", time.Since(killed))
		succeed(t, r)
		restart()
		cluster.AwaitReady(t)
		if b.Whole != nil {
			b.Whole(t, cluster)
		}
		OK(t, other.Deregister(t.Context(), Service(name, "2")))
		Healthy(t, states, "1")
	}
}

// succeed ends a term that may have been lost, and waits for the next one.
func succeed(tb testing.TB, r *race) {
	tb.Helper()
	defer r.cancel()
	if r.old.Held() {
		OK(tb, r.old.Verify(tb.Context()))
		tb.Log("the term has survived")
		OK(tb, r.old.Resign(tb.Context()))
	}
	end, next := <-r.ended, <-r.won
	OK(tb, next.err)
	if gap := next.at.Sub(end); gap < -time.Millisecond { // a hand-over has no gap to speak of
		tb.Errorf("two leaders for %v", -gap)
	}
	if next.term.Token() <= r.old.Token() {
		tb.Errorf("token %d follows %d", next.term.Token(), r.old.Token())
	}
	OK(tb, next.term.Resign(tb.Context()))
}
