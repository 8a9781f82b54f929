package consul

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// TestGuardCatchesUp has a record be replaced after it was read for its owner, and before the poll that it shares with
// others is about it. That poll has passed the change already.
func TestGuardCatchesUp(t *testing.T) {
	shown := func(id, owner string, index uint64) *api.ServiceEntry {
		e := entry(id, index)
		i := &driver.Instance{Service: driver.Service{ID: id, Name: "api"}, Owner: owner, Generation: 1}
		e.Service.ID, e.Service.Meta = serviceID("api", id, owner), makeMeta(i, "session", 1)
		return e
	}
	s := newStandIn(t)
	held := make(chan struct{}, 16)
	s.script(path, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Get("near") == "": // what each owner reads first
			answer(w, 10, []*api.ServiceEntry{shown("1", "me", 5), shown("2", "me", 6)})
		case waitIndex(r) == 0:
			answer(w, 20, []*api.ServiceEntry{shown("1", "me", 5), shown("2", "other", 15)})
		default:
			held <- struct{}{}
			<-r.Context().Done()
		}
	})
	b := s.backend(t)
	follow := func(id string) driver.InstanceStream {
		stream, err := b.OpenWatchRegistration(t.Context(), &driver.WatchRegistrationRequest{Name: "api", ID: id})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stream.Close)
		return stream
	}
	follow("1")
	<-held
	late := follow("2")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for owner := ""; owner != "other"; {
		batch, err := late.Next(ctx)
		if err != nil {
			t.Fatalf("its replacement is not told: %v", err)
		}
		for _, change := range batch.Changes {
			owner = change.Record.Owner
		}
	}
}
