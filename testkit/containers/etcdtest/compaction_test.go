package etcdtest

import (
	"testing"
	"time"

	"github.com/go-reception/sdk/testkit/containers"
)

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
