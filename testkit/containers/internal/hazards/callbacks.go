package hazards

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// Callbacks is H9: one callback panics, and one never returns, in two outages in a row. All registrations come back after
// each, the third one's callback is told of both, and their owner can update them.
func Callbacks(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	link := server.NewLink(t)
	client, other := b.dial(t, link.Endpoints()), b.dial(t, server.Endpoints())
	release, told := make(chan struct{}), make(chan error, 10)
	defer close(release)
	callbacks := map[string]func(error){
		"1": func(error) { panic("a user's mistake") }, "2": func(error) { <-release }, "3": func(err error) { told <- err },
	}
	for range 2 {
		for id, callback := range callbacks { // which succeeds when the outage before is over for the owner, too
			OK(t, client.Register(t.Context(), Service(name, id), callback))
		}
		undo := link.Cut(t)
		Sees(t, 3*b.TTL+Grace, other, name)
		undo()
		Eventually(t, Step+Grace, func() string { return "all are back" }, func() bool {
			got, err := IDs(t.Context(), other, name)
			return err == nil && slices.Equal(slices.Sorted(slices.Values(got)), []string{"1", "2", "3"})
		})
		for _, want := range b.ToldOfOutage {
			select {
			case err := <-told:
				if !errors.Is(err, want) {
					t.Errorf("told %v, want %v", err, want)
				}
			case <-time.After(Grace):
				t.Errorf("not told of %v", want)
			}
		}
	}
	if len(told) > 0 {
		t.Errorf("told of more: %v", <-told)
	}
}
