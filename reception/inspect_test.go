package reception_test

import (
	"context"
	"errors"
	"testing"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// An inspected backend can tell about its servers.
type inspected struct {
	driver.Backend
	err error
}

func (i *inspected) Inspect(context.Context) ([]driver.Server, error) {
	return []driver.Server{{Address: "10.0.0.1:1", Version: "1.2.3"}}, i.err
}

type silentObserver struct{}

func (silentObserver) Call(ctx context.Context, _ driver.Call) (context.Context, func(error)) {
	return ctx, nil
}
func (silentObserver) Event(reception.Event) {}

func TestInspect(t *testing.T) {
	backend := &inspected{Backend: fake.NewCluster().Backend()}
	client := newClient(t, backend, reception.WithObserver(silentObserver{})) // which hides what it wraps
	servers, err := reception.Inspect(t.Context(), client)
	if err != nil || len(servers) != 1 || servers[0].Version != "1.2.3" {
		t.Errorf("got %v, %v", servers, err)
	}
	backend.err = driver.ErrPermission
	if _, err := reception.Inspect(t.Context(), client); !errors.Is(err, reception.ErrPermission) {
		t.Errorf("got %v, want ErrPermission", err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := reception.Inspect(t.Context(), client); !errors.Is(err, reception.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestInspectWhatCannotTell(t *testing.T) {
	client := newClient(t, fake.NewCluster().Backend())
	for _, c := range []reception.Client{client, struct{ reception.Client }{client}} {
		if _, err := reception.Inspect(t.Context(), c); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%T: got %v, want ErrUnsupported", c, err)
		}
	}
}
