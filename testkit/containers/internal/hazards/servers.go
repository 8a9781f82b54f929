package hazards

import (
	"fmt"
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
