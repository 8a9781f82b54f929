package hazards

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/go-reception/sdk/reception"
)

// Churn is H5: every connection of a reader is reset fifty times while instances come and go. No state ever lacks the
// instance that is always there, or has one twice, and the last one is what the servers have.
func Churn(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	link := server.NewLink(t)
	writer, reader := b.dialWith(t, server.Endpoints(), b.patient(t)), b.dialWith(t, link.Endpoints(), b.patient(t))
	OK(t, writer.Register(t.Context(), Service(name, "stays"), nil))
	states, err := reader.NewWatcher(name).Start(t.Context())
	OK(t, err)
	Healthy(t, states, "stays")
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			case state, open := <-states:
				if !open {
					return // the test has failed elsewhere
				}
				whole(t, state)
			}
		}
	})
	for i := range 50 {
		undo := link.Reset(t)
		id := fmt.Sprint(i % 5)
		if i%10 < 5 {
			err = writer.Register(t.Context(), Service(name, id), nil)
		} else {
			err = writer.Deregister(t.Context(), Service(name, id))
		}
		undo()
		if err != nil {
			break
		}
	}
	close(done)
	watching.Wait()
	OK(t, err)
	OK(t, writer.Register(t.Context(), Service(name, "last"), nil))
	Healthy(t, states, "stays", "last")
	Sees(t, Grace, writer, name, "stays", "last")
}

// whole checks a state that an error must not have made smaller, or larger.
func whole(tb testing.TB, state *reception.ServiceState) {
	tb.Helper()
	ids := idsOf(state.Services)
	if !slices.Contains(ids, "stays") {
		tb.Errorf("a state without the instance that stays: %+v", state)
	}
	if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != len(ids) {
		tb.Errorf("an instance is there twice: %q", ids)
	}
}
