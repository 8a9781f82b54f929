package etcdtest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// TestH20LeaderKilled has the leader of three servers killed, twice: registrations stay listed, watches go on, a term that
// is held is either held on or ends before its successor's, and everything works again within seconds.
func TestH20LeaderKilled(t *testing.T) {
	t.Parallel()
	cluster := containers.StartEtcd(t, containers.WithNodes(3))
	client, other := dial(t, cluster.Endpoints()), dial(t, cluster.Endpoints())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := other.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	term, err := client.Campaign(t.Context(), "e", service("api", "1"))
	ok(t, err)
	for i := range 2 {
		start := cluster.Leader(t).Kill(t)
		killed := time.Now()
		id := fmt.Sprintf("later-%d", i)
		eventually(t, 20*time.Second, func() string { return "a registration succeeds" }, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			return other.Register(ctx, service("api", id), nil) == nil
		})
		t.Logf("writes again after %v", time.Since(killed))
		eventually(t, 20*time.Second, func() string { return "both are listed" }, func() bool {
			got, err := ids(t.Context(), client, "api")
			return err == nil && slices.Contains(got, "1") && slices.Contains(got, id)
		})
		t.Logf("both are listed after %v", time.Since(killed))
		healthy(t, states, append([]string{"1"}, earlier(i)...)...)
		t.Logf("the watch is healthy after %v", time.Since(killed))
		start()
		cluster.AwaitReady(t)
	}
	if term.Held() {
		ok(t, term.Verify(t.Context()))
	}
	next := make(chan reception.Term, 1)
	go func() {
		if term, err := other.Campaign(t.Context(), "e", service("api", "2")); err == nil {
			next <- term
		}
	}()
	_ = term.Resign(t.Context()) // it may have been lost
	select {
	case successor := <-next:
		if successor.Token() <= term.Token() {
			t.Errorf("token %d follows %d", successor.Token(), term.Token())
		}
	case <-time.After(3*ttl + grace):
		t.Error("nobody succeeds")
	}
}

// earlier are the instances that were registered up to round i.
func earlier(i int) []string {
	var ids []string
	for j := range i + 1 {
		ids = append(ids, fmt.Sprintf("later-%d", j))
	}
	return ids
}

// TestH21WatchOfAMemberCutOff: the member that a watch is connected to is cut off from the others. The watch must not
// stay with it.
func TestH21WatchOfAMemberCutOff(t *testing.T) {
	t.Parallel()
	cluster := containers.StartEtcd(t, containers.WithNodes(3))
	writer := dial(t, cluster.Endpoints())
	ok(t, writer.Register(t.Context(), service("api", "1"), nil))
	for i := range 3 { // one of them is the watch's
		reader := dial(t, cluster.NewLink(t).Endpoints())
		states, err := reader.NewWatcher("api").Start(t.Context())
		ok(t, err)
		healthy(t, states, "1")
		undo := cluster.Isolate(t, cluster.Node(i))
		cut := time.Now()
		eventually(t, 20*time.Second, func() string { return "a registration succeeds" }, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			return writer.Register(ctx, service("api", "2"), nil) == nil
		})
		written := time.Now()
		deadline := time.After(10 * time.Second)
		for known := 0; known != 2; {
			select {
			case state := <-states:
				if known = len(state.Services); state.Err != nil {
					known = 0
				}
			case <-deadline:
				t.Fatalf("the watch has not heard within 10 s of what was written %v after the cut", written.Sub(cut))
			}
		}
		t.Logf("node %d: the watch has heard of the change %v after it, %v after the cut", i, time.Since(written), time.Since(cut))
		undo()
		cluster.AwaitReady(t)
		ok(t, writer.Deregister(t.Context(), service("api", "2")))
	}
}
