package reception_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func TestListServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, other := pair(t, fake.NewCluster())
		list := func(name string) []*reception.Service {
			t.Helper()
			services, err := client.ListServices(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			return services
		}
		if got := list("unknown"); got == nil || len(got) != 0 {
			t.Errorf("an unknown name: %v, want an empty list", got)
		}
		want := &reception.Service{
			Name: "api", ID: "b", Address: "fe80::1", Port: 65535, Attributes: reception.Attributes{"zone": "a"},
		}
		register(t, client, want)
		register(t, other, service("api", "a", 2))
		register(t, other, service("API", "c", 3))
		got := list("api")
		if !slices.Equal(ids(got), []string{"b:65535", "a:2"}) {
			t.Fatalf("got %v, want b, then a", ids(got))
		}
		if got[0].Name != "api" || got[0].Address != want.Address || fmt.Sprint(got[0].Attributes) != "map[zone:a]" {
			t.Errorf("got %+v, want %+v", got[0], want)
		}
		if got[1].Attributes != nil {
			t.Errorf("no attributes read back as %#v", got[1].Attributes)
		}
		got[0].Port, got[0].Attributes["zone"] = 1, "changed"
		if again := list("api"); again[0].Port != 65535 || again[0].Attributes["zone"] != "a" {
			t.Errorf("a change of what was returned has reached the backend: %+v", again[0])
		}
	})
}

func TestListNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, other := pair(t, fake.NewCluster())
		names, err := client.ListNames(t.Context())
		if err != nil || names == nil || len(names) != 0 {
			t.Fatalf("got %v, %v; want an empty list", names, err)
		}
		register(t, other, service("b", "1", 1))
		register(t, client, service("a", "1", 1))
		register(t, client, service("b", "2", 1))
		campaign(t, client, "x")
		names, err = client.ListNames(t.Context())
		if err != nil || !slices.Equal(names, []string{"a", "b"}) {
			t.Errorf("got %v, %v; want a and b", names, err)
		}
	})
}

func TestLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, other := pair(t, fake.NewCluster())
		if _, err := client.Leader(t.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) {
			t.Errorf("got %v, want ErrNoLeader", err)
		}
		term := campaign(t, other, "a")
		leader, err := client.Leader(t.Context(), "reaper")
		if err != nil {
			t.Fatal(err)
		}
		wantLeader(t, leader, "a", term.Token())
	})
}

// TestReadErrors checks the errors of everything that reads, in every way in which reading can fail.
func TestReadErrors(t *testing.T) {
	reads := map[string]func(context.Context, reception.Client, string) error{
		"ListServices": func(ctx context.Context, c reception.Client, name string) error {
			_, err := c.ListServices(ctx, name)
			return err
		},
		"ListNames": func(ctx context.Context, c reception.Client, _ string) error {
			_, err := c.ListNames(ctx)
			return err
		},
		"Leader": func(ctx context.Context, c reception.Client, name string) error {
			_, err := c.Leader(ctx, name)
			return err
		},
	}
	operations := map[string]string{"Leader": "GetLeader"}
	type world struct {
		t         *testing.T
		backend   *fake.Backend
		client    reception.Client
		operation string
	}
	tests := []struct {
		name    string
		arrange func(*world)
		wrapped bool
		want    error
	}{
		{"cut off", func(w *world) { w.backend.Cut() }, true, reception.ErrUnavailable},
		{"refused", func(w *world) {
			inject(w.t, w.backend, fake.Fault{Operation: w.operation, Err: driver.ErrPermission})
		}, true, reception.ErrPermission},
		{"closed", func(w *world) { _ = w.client.Close() }, true, reception.ErrClosed},
		{"closed meanwhile", func(w *world) {
			w.backend.Freeze()
			time.AfterFunc(time.Second, func() { _ = w.client.Close() })
		}, true, reception.ErrClosed},
		{"frozen", func(w *world) { w.backend.Freeze() }, false, context.DeadlineExceeded},
	}
	for _, test := range tests {
		for op, read := range reads {
			t.Run(test.name+"/"+op, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					backend := fake.NewCluster().Backend()
					client := reception.NewClient(backend)
					defer func() {
						backend.Thaw()
						_ = client.Close()
					}()
					operation := op
					if other, differs := operations[op]; differs {
						operation = other
					}
					test.arrange(&world{t, backend, client, operation})
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					err := read(ctx, client, "name")
					if !errors.Is(err, test.want) {
						t.Fatalf("got %v, want %v", err, test.want)
					}
					wrapped, ok := errors.AsType[*reception.Error](err)
					if test.wrapped && (!ok || wrapped.Op != op || wrapped.Backend != "fake") {
						t.Errorf("%#v is no *reception.Error of %s on fake", err, op)
					}
				})
			})
		}
	}
	for op, read := range reads {
		if op != "ListNames" {
			t.Run("bad name/"+op, func(t *testing.T) {
				client := newClient(t, fake.NewCluster().Backend())
				if err := read(t.Context(), client, "a b"); !errors.Is(err, reception.ErrInvalidService) {
					t.Errorf("got %v, want ErrInvalidService", err)
				}
			})
		}
		t.Run("context ended/"+op, func(t *testing.T) {
			client := newClient(t, fake.NewCluster().Backend())
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := read(ctx, client, "name"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
		})
	}
}

// A stub answers reads as it is told to.
type stub struct {
	driver.Backend
	names func(context.Context) (*driver.ListNamesResponse, error)
}

func (s *stub) ListNames(ctx context.Context, _ *driver.ListNamesRequest) (*driver.ListNamesResponse, error) {
	return s.names(ctx)
}

// TestListNamesIsTheCallers checks that a change of what was returned does not reach what the backend shares.
func TestListNamesIsTheCallers(t *testing.T) {
	shared := &driver.ListNamesResponse{Names: []string{"a", "b"}}
	client := newClient(t, &stub{
		Backend: fake.NewCluster().Backend(),
		names:   func(context.Context) (*driver.ListNamesResponse, error) { return shared, nil },
	})
	names, err := client.ListNames(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names[0] = "changed"
	if shared.Names[0] != "a" {
		t.Error("the backend's list has changed")
	}
}

// TestReadCutShortByClose checks that the end of the client is ErrClosed, although what the backend sees is the end of a
// context.
func TestReadCutShortByClose(t *testing.T) {
	asked := make(chan struct{})
	client := newClient(t, &stub{
		Backend: fake.NewCluster().Backend(),
		names: func(ctx context.Context) (*driver.ListNamesResponse, error) {
			close(asked)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	go func() {
		<-asked
		_ = client.Close()
	}()
	if _, err := client.ListNames(t.Context()); !errors.Is(err, reception.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func BenchmarkListServices(b *testing.B) {
	for _, size := range []int{10, 1_000} {
		b.Run(fmt.Sprintf("instances=%d", size), func(b *testing.B) {
			client := newClient(b, fake.NewCluster().Backend())
			for i := range size {
				s := service("api", fmt.Sprintf("i%d", i), 1)
				s.Attributes = reception.Attributes{"zone": "a"}
				if err := client.Register(context.Background(), s, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				services, err := client.ListServices(context.Background(), "api")
				if err != nil || len(services) != size {
					b.Fatal(len(services), err)
				}
			}
		})
	}
}
