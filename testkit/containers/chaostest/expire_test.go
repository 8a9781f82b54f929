package chaostest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/chaos"
)

// TestExpire shows that the fault of that name does what it says, on each backend: a schedule would not notice one that
// does nothing. A process whose way to the servers is in order loses its term, and its registration for a while.
func TestExpire(t *testing.T) {
	for _, g := range grounds {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			arena := g.begin(t).field(t).arena(g.name)
			connection, err := arena.Connect(0, reception.NewNilLogger())
			if err != nil {
				t.Fatal(err)
			}
			client := reception.NewClient(connection.Backend)
			defer client.Close()
			lost := make(chan error, 10)
			service := &reception.Service{Name: "api", ID: "1", Address: "192.0.2.1", Port: 80}
			if err := client.Register(t.Context(), service, func(err error) { lost <- err }); err != nil {
				t.Fatal(err)
			}
			term, err := client.Campaign(t.Context(), job, service)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(arena.Faults, func(f chaos.Fault) bool { return f.Name == "expire" })
			arena.Faults[i].Strike(0)
			limit := time.After(2 * patience)
			select {
			case <-term.Context().Done():
			case <-limit:
				t.Error("the term goes on")
			}
			for err := error(nil); !errors.Is(err, reception.ErrSessionExpired); {
				select {
				case err = <-lost:
				case <-limit:
					t.Fatalf("the owner of the registration is told %v", err)
				}
			}
		})
	}
}
