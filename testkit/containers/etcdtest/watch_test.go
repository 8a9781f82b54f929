package etcdtest

import (
	"context"
	"testing"
	"time"

	"github.com/go-reception/sdk/testkit/containers"
)

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
