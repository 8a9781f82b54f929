package reception_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// TestWatchOutage goes through what befalls a stream, and checks that it is told, survived, and ends in the right
// delta.
func TestWatchOutage(t *testing.T) {
	type world struct {
		cluster *fake.Cluster
		backend *fake.Backend
		other   reception.Client
	}
	a, b, c := service("api", "a", 1), service("api", "b", 2), service("api", "c", 3)
	change := func(t *testing.T, w *world) {
		t.Helper()
		deregister(t, w.other, a)
		register(t, w.other, c)
	}
	// provoke has the stream get on to its next Next, with a change that is none.
	provoke := func(t *testing.T, w *world) {
		t.Helper()
		register(t, w.other, b)
		synctest.Wait()
	}
	both, delta := []string{"a:1", "b:2"}, []string{"b:2", "c:3"}
	tests := []struct {
		name    string
		trouble func(*testing.T, *world)
		want    error // the first state's, nil where there is none with Err
		heal    func(*testing.T, *world)
		changed bool
	}{
		{
			"cut off", func(_ *testing.T, w *world) { w.backend.Cut() }, reception.ErrUnavailable,
			func(_ *testing.T, w *world) { w.backend.Heal() }, false,
		},
		{
			"cut off, change meanwhile", func(t *testing.T, w *world) {
				t.Helper()
				w.backend.Cut()
				change(t, w)
			}, reception.ErrUnavailable,
			func(_ *testing.T, w *world) { w.backend.Heal() }, true,
		},
		{
			"permission withdrawn", func(t *testing.T, w *world) {
				t.Helper()
				inject(t, w.backend, fake.Fault{Operation: "WatchService", Stage: fake.Next, Err: driver.ErrPermission})
				inject(t, w.backend, fake.Fault{Operation: "WatchService", Times: 5, Err: driver.ErrPermission})
				provoke(t, w)
				change(t, w)
			},
			reception.ErrPermission, func(*testing.T, *world) {}, true,
		},
		{
			"an error of no kind", func(t *testing.T, w *world) {
				t.Helper()
				inject(t, w.backend, fake.Fault{Operation: "WatchService", Stage: fake.Next, Err: errOdd})
				provoke(t, w)
				change(t, w)
			},
			errOdd, func(*testing.T, *world) {}, true,
		},
		{
			"compacted", func(t *testing.T, w *world) {
				t.Helper()
				w.backend.Freeze()
				change(t, w)
				w.cluster.Compact()
			},
			nil, func(_ *testing.T, w *world) { w.backend.Thaw() }, true,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{cluster: fake.NewCluster()}
				var client reception.Client
				client, w.backend, w.other = pair(t, w.cluster)
				register(t, w.other, a)
				register(t, w.other, b)
				states := start(t, client.NewWatcher("api"))
				wantState(t, next(t, states), both, both, nil, nil)
				test.trouble(t, w)
				if test.want != nil {
					state := next(t, states)
					wantState(t, state, both, nil, nil, nil)
					wantTrouble(t, state.Err, test.want)
					late := next(t, start(t, client.NewWatcher("api")))
					wantState(t, late, both, both, nil, nil)
					wantTrouble(t, late.Err, test.want)
				}
				test.heal(t, w)
				time.Sleep(time.Minute)
				state := next(t, states)
				if state.Err != nil {
					t.Fatalf("Err is still %v", state.Err)
				}
				if test.changed {
					wantState(t, state, delta, []string{"c:3"}, nil, []string{"a:1"})
				} else {
					wantState(t, state, both, nil, nil, nil)
				}
				synctest.Wait()
				noState(t, states)
			})
		})
	}
}

var errOdd = errors.New("odd")

// wantTrouble checks the error of a state.
func wantTrouble(tb testing.TB, got, want error) {
	tb.Helper()
	if !errors.Is(got, want) {
		tb.Errorf("Err is %v, want %v", got, want)
	}
	if !errors.Is(got, reception.ErrUnavailable) && !errors.Is(got, reception.ErrPermission) {
		tb.Errorf("Err is %v, which is neither ErrUnavailable nor ErrPermission", got)
	}
	wrapped, ok := errors.AsType[*reception.Error](got)
	if !ok || wrapped.Backend != "fake" || wrapped.Op != "Watch" || wrapped.Name != "api" {
		tb.Errorf("Err is %#v, want a *reception.Error of Watch api on fake", got)
	}
}

func inject(tb testing.TB, backend *fake.Backend, fault fake.Fault) {
	tb.Helper()
	if _, err := backend.Inject(fault); err != nil {
		tb.Fatal(err)
	}
}

// TestWatchUnseenTrouble checks what a reader is told that was not looking: nothing, if all is as it was.
func TestWatchUnseenTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, backend, other := pair(t, fake.NewCluster())
		states := start(t, client.NewWatcher("api"))
		next(t, states)
		backend.Cut()
		time.Sleep(time.Second)
		backend.Heal()
		time.Sleep(time.Minute)
		noState(t, states)

		backend.Cut()
		time.Sleep(time.Second)
		register(t, other, service("api", "a", 1))
		backend.Heal()
		time.Sleep(time.Minute)
		state := next(t, states)
		wantState(t, state, []string{"a:1"}, []string{"a:1"}, nil, nil)
		if state.Err != nil {
			t.Errorf("Err is %v", state.Err)
		}
	})
}

func TestWatchBeginsInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, backend, _ := pair(t, fake.NewCluster())
		backend.Cut()
		states := start(t, client.NewWatcher("api"))
		state := next(t, states)
		wantState(t, state, nil, nil, nil, nil)
		wantTrouble(t, state.Err, reception.ErrUnavailable)
		time.Sleep(time.Hour)
		noState(t, states) // the same trouble is told once
		backend.Heal()
		if state := next(t, states); state.Err != nil {
			t.Errorf("Err is %v after healing", state.Err)
		}
	})
}

// TestWatchRetries checks the waits between attempts: they grow, are bounded, and begin anew after a success.
func TestWatchRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := fake.NewCluster().Backend()
		client := newClient(t, backend, reception.WithBackoff(100*time.Millisecond, time.Second))
		var down atomic.Bool
		var attempts atomic.Int32
		inject(t, backend, fake.Fault{
			Operation: "WatchService", Times: fake.Always,
			Hook: func(context.Context, driver.Call) error {
				if attempts.Add(1); down.Load() {
					return driver.ErrUnavailable
				}
				return nil
			},
		})
		broken := func() {
			backend.Cut()
			backend.Heal()
		}
		states := start(t, client.NewWatcher("api"))
		next(t, states)
		for range 2 {
			down.Store(true)
			attempts.Store(0)
			broken()
			time.Sleep(100 * time.Second)
			if n := attempts.Load(); n < 60 || n > 220 {
				t.Errorf("%d attempts within 100 s at waits of up to 1 s, varied by half", n)
			}
			down.Store(false)
			time.Sleep(2 * time.Second)
			attempts.Store(0)
			broken()
			time.Sleep(151 * time.Millisecond)
			if n := attempts.Load(); n != 1 {
				t.Errorf("%d attempts within 150 ms of new trouble: the waits have not begun anew", n)
			}
		}
	})
}

// TestWatchEvents checks that an outage is one event, however many attempts it takes, and its end another.
func TestWatchEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &events{}
		backend := fake.NewCluster().Backend()
		client := newClient(t, backend, reception.WithObserver(seen))
		w := client.NewWatcher("api")
		next(t, start(t, w))
		for range 2 {
			backend.Cut()
			time.Sleep(time.Minute)
			backend.Heal()
			time.Sleep(time.Minute)
		}
		w.Stop() // is no trouble
		synctest.Wait()
		outage := []string{"watch broken api true", "watch resumed api false"}
		want := slices.Concat(outage, outage)
		if got := seen.all(); !slices.Equal(got, want) {
			t.Errorf("events: %q, want %q", got, want)
		}
	})
}

// events is an observer that remembers what happened, and whether there was an error.
type events struct {
	logbook
}

func (e *events) Call(ctx context.Context, _ driver.Call) (context.Context, func(error)) {
	return ctx, nil
}

func (e *events) Event(event reception.Event) {
	e.Printf("%s %s %t", event.Kind, event.Name, event.Err != nil)
}
