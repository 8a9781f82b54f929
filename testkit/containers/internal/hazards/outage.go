package hazards

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
)

// Outage is H3: the owner of a registration cannot reach the servers, for half of the time that the record lives, for twice
// as long, and for twenty times as long. Afterwards the record is listed again, once, and stays; the owner's own watch has
// gone on; and its callback was told what the outage was, once, and nothing of one that is short of the TTL.
//
// The outage begins when the session has just been opened. What counts may later be a third of the TTL old, and a tenth is
// the margin: half of the TTL then leaves a fifteenth, which is less than a busy machine takes to renew it.
func Outage(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	for _, times := range []float64{0.5, 2, 20} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			t.Parallel()
			server, name := b.Shared(t), ServiceName(t)
			link := server.NewLink(t)
			client, other := b.dial(t, link.Endpoints()), b.dial(t, server.Endpoints())
			var told Recorder
			OK(t, client.Register(t.Context(), Service(name, "1"), told.Note))
			states, err := client.NewWatcher(name).Start(t.Context())
			OK(t, err)
			undo := link.Cut(t)
			time.Sleep(time.Duration(times * float64(b.TTL)))
			undo()
			start := time.Now()
			Sees(t, Step+Grace, other, name, "1")
			t.Logf("back after %v", time.Since(start))
			keepsSeeing(t, b.TTL, other, name, "1")
			Healthy(t, states, "1")
			got, want := told.All(), b.ToldOfOutage
			if times < 1 {
				want = nil
			}
			if !are(got, want) {
				t.Errorf("an outage of %v times the TTL is told as %v, want %v", times, got, want)
			}
		})
	}
}

// TenOutages is H3 again and again: ten outages in a row, each until the record is gone. It is back soon after each.
func TenOutages(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	link := server.NewLink(t)
	client, other := b.dial(t, link.Endpoints()), b.dial(t, server.Endpoints())
	OK(t, client.Register(t.Context(), Service(name, "1"), nil))
	var longest time.Duration
	for range 10 {
		undo := link.Cut(t)
		Sees(t, 3*b.TTL, other, name)
		undo()
		start := time.Now()
		Sees(t, Back+Grace, other, name, "1")
		longest = max(longest, time.Since(start))
	}
	t.Logf("back after %v at the latest", longest)
}

// DeregisterDuringOutage is H4: an instance is deregistered while its owner cannot reach the servers, until its record is
// gone. Deregister says that it could not be confirmed; after the outage the instance does not rise again, and the other
// one of the same owner does.
func DeregisterDuringOutage(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	link := server.NewLink(t)
	client, other := b.dial(t, link.Endpoints()), b.dial(t, server.Endpoints())
	OK(t, client.Register(t.Context(), Service(name, "1"), nil))
	OK(t, client.Register(t.Context(), Service(name, "2"), nil))
	undo := link.Cut(t)
	ctx, cancel := context.WithTimeout(t.Context(), b.TTL/2)
	defer cancel()
	if err := client.Deregister(ctx, Service(name, "1")); !errors.Is(err, reception.ErrUnavailable) {
		t.Errorf("Deregister without a connection: %v", err)
	}
	Sees(t, 3*b.TTL, other, name)
	undo()
	Sees(t, Back+Grace, other, name, "2")
	keepsSeeing(t, 3*b.TTL, other, name, "2")
}
