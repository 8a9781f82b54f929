package reception_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func TestWatcherStart(t *testing.T) {
	tests := []struct {
		name  string
		watch string
		start func(reception.Watcher, reception.Client) error
		want  error
	}{
		{"once", "api", startOnce, nil},
		{"twice", "api", func(w reception.Watcher, c reception.Client) error {
			return errors.Join(startOnce(w, c), startOnce(w, c))
		}, reception.ErrStarted},
		{"after Stop", "api", func(w reception.Watcher, c reception.Client) error {
			w.Stop()
			return startOnce(w, c)
		}, reception.ErrStarted},
		{"after Start and Stop", "api", func(w reception.Watcher, c reception.Client) error {
			err := startOnce(w, c)
			w.Stop()
			return errors.Join(err, startOnce(w, c))
		}, reception.ErrStarted},
		{"after Close", "api", func(w reception.Watcher, c reception.Client) error {
			return errors.Join(c.Close(), startOnce(w, c))
		}, reception.ErrClosed},
		{"bad name", "a b", startOnce, reception.ErrInvalidService},
		{"no name", "", startOnce, reception.ErrInvalidService},
		{"huge name", strings.Repeat("x", 1<<20), startOnce, reception.ErrInvalidService},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, fake.NewCluster().Backend())
				err := test.start(client.NewWatcher(test.watch), client)
				if !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				wrapped, ok := errors.AsType[*reception.Error](err)
				if test.want != nil && (!ok || wrapped.Backend != "fake") {
					t.Errorf("%#v is no *reception.Error on fake", err)
				}
				if test.want != nil && len(err.Error()) > 1000 {
					t.Errorf("the error is %d bytes long", len(err.Error()))
				}
			})
		})
	}
}

func startOnce(w reception.Watcher, _ reception.Client) error {
	_, err := w.Start(context.Background())
	return err
}

// TestWatcherEnds checks that a channel closes when it should, that nothing comes out of it after that, and that the
// stream behind it is closed with the last watcher.
func TestWatcherEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(w reception.Watcher, cancel func(), c reception.Client)
	}{
		{"Stop", func(w reception.Watcher, _ func(), _ reception.Client) { w.Stop() }},
		{"Stop twice", func(w reception.Watcher, _ func(), _ reception.Client) { w.Stop(); w.Stop() }},
		{"context", func(_ reception.Watcher, cancel func(), _ reception.Client) { cancel() }},
		{"Close", func(_ reception.Watcher, _ func(), c reception.Client) { _ = c.Close() }},
		{"everything", func(w reception.Watcher, cancel func(), c reception.Client) {
			var all sync.WaitGroup
			for _, end := range []func(){w.Stop, cancel, func() { _ = c.Close() }, w.Stop} {
				all.Go(end)
			}
			all.Wait()
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				backend := &spy{Backend: fake.NewCluster().Backend()}
				client := newClient(t, backend)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := client.NewWatcher("api")
				states, err := w.Start(ctx)
				if err != nil {
					t.Fatal(err)
				}
				register(t, client, service("api", "a", 1))
				synctest.Wait() // there is a state in the channel now
				test.end(w, cancel, client)
				synctest.Wait()
				if state, open := <-states; open {
					t.Errorf("got %+v after the end", state)
				}
				if open, _ := backend.streams(); open != 0 {
					t.Errorf("%d streams are open after the end", open)
				}
				w.Stop()
			})
		})
	}
}

// TestWatchCloseClosesChannels checks that Close does not return before the channels are closed.
func TestWatchCloseClosesChannels(t *testing.T) {
	client := reception.NewClient(fake.NewCluster().Backend())
	var all []<-chan *reception.ServiceState
	for i := range 50 {
		all = append(all, start(t, client.NewWatcher(fmt.Sprintf("api%d", i%5))))
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	for _, states := range all {
		select {
		case state, open := <-states:
			if open {
				t.Fatalf("got %+v after Close", state)
			}
		default:
			t.Fatal("a channel is open after Close")
		}
	}
}

// TestWatchContextEndedBefore checks a watch whose life is over as it begins: it is like one that ends right after.
func TestWatchContextEndedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &spy{Backend: fake.NewCluster().Backend()}
		client := newClient(t, backend)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		states, err := client.NewWatcher("api").Start(ctx)
		if err != nil {
			t.Fatal(err)
		}
		mustClose(t, states)
		synctest.Wait()
		if open, _ := backend.streams(); open != 0 {
			t.Errorf("%d streams are open", open)
		}
	})
}

// TestWatchBackendClosed checks that a backend which somebody else has closed is trouble like any other: the channel
// closes with the client.
func TestWatchBackendClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := fake.NewCluster().Backend()
		client := reception.NewClient(backend)
		states := start(t, client.NewWatcher("api"))
		next(t, states)
		if err := backend.Close(); err != nil {
			t.Fatal(err)
		}
		wantTrouble(t, next(t, states).Err, reception.ErrClosed)
		time.Sleep(time.Hour)
		noState(t, states)
		_ = client.Close()
		mustClose(t, states)
	})
}

// TestWatchStartDoesNotWait checks that Start and Stop return while the backend answers nobody.
func TestWatchStartDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, backend, _ := pair(t, fake.NewCluster())
		backend.Freeze()
		before := time.Now()
		w := client.NewWatcher("api")
		states := start(t, w)
		synctest.Wait()
		noState(t, states)
		w.Stop()
		mustClose(t, states)
		if took := time.Since(before); took != 0 {
			t.Errorf("it took %v", took)
		}
		backend.Thaw()
	})
}

// TestWatchRestartIsShared plays the interleaving that forget forbids: an upstream that has lost its last reader ends
// when its successor is there already, and takes that out of the list of those that can be shared.
func TestWatchRestartIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &spy{Backend: fake.NewCluster().Backend()}
		client := newClient(t, backend)
		first := client.NewWatcher("api")
		next(t, start(t, first))
		first.Stop()
		start(t, client.NewWatcher("api"))
		synctest.Wait()
		start(t, client.NewWatcher("api"))
		synctest.Wait()
		if open, opened := backend.streams(); open != 1 || opened != 2 {
			t.Errorf("%d streams are open, of %d opened; want 1 of 2", open, opened)
		}
	})
}

// hooked is a context that counts who waits for its end, which never comes.
type hooked struct {
	context.Context
	done  chan struct{}
	hooks atomic.Int32
}

func (h *hooked) Done() <-chan struct{} { return h.done }

// AfterFunc is what context.AfterFunc calls on contexts that have it.
func (h *hooked) AfterFunc(func()) (stop func() bool) {
	h.hooks.Add(1)
	return func() bool {
		h.hooks.Add(-1)
		return true
	}
}

// TestWatchLetsGoOfItsContext checks that a watch that has ended leaves nothing behind in a context that lives on.
func TestWatchLetsGoOfItsContext(t *testing.T) {
	for name, end := range map[string]func(reception.Watcher, reception.Client){
		"Stop":  func(w reception.Watcher, _ reception.Client) { w.Stop() },
		"Close": func(_ reception.Watcher, c reception.Client) { _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, fake.NewCluster().Backend())
				ctx := &hooked{Context: t.Context(), done: make(chan struct{})}
				w := client.NewWatcher("api")
				if _, err := w.Start(ctx); err != nil {
					t.Fatal(err)
				}
				if n := ctx.hooks.Load(); n != 1 {
					t.Fatalf("%d hooks in the context of a watch, want one", n)
				}
				end(w, client)
				synctest.Wait()
				if n := ctx.hooks.Load(); n != 0 {
					t.Errorf("%d hooks are left in the context", n)
				}
			})
		})
	}
}

// TestWatchStuckBackend checks that a backend that heeds no context cannot keep channels open, nor new watchers waiting.
func TestWatchStuckBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &spy{Backend: fake.NewCluster().Backend()}
		client := reception.NewClient(backend)
		states := start(t, client.NewWatcher("api"))
		next(t, states)
		unstick := make(chan struct{})
		backend.tamper = func(batch *driver.Batch[driver.Instance]) *driver.Batch[driver.Instance] {
			<-unstick
			return batch
		}
		register(t, client, service("api", "a", 1))
		synctest.Wait()
		if err := client.Close(); err == nil {
			t.Error("Close returned nil, though a call has not ended")
		}
		if state, open := <-states; open {
			t.Errorf("got %+v after Close", state)
		}
		if _, err := client.NewWatcher("api").Start(t.Context()); !errors.Is(err, reception.ErrClosed) {
			t.Errorf("Start after Close: %v", err)
		}
		close(unstick)
	})
}

func TestWatchManyCycles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &spy{Backend: fake.NewCluster().Backend()}
		client := newClient(t, backend)
		for range 1000 {
			w := client.NewWatcher("api")
			next(t, start(t, w))
			w.Stop()
		}
		synctest.Wait()
		if open, opened := backend.streams(); open != 0 || opened != 1000 {
			t.Errorf("%d streams are open, of %d opened; want none of 1000", open, opened)
		}
	})
}
