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
)

// elect fails the test if it does.
func elect(tb testing.TB, e reception.Elector) {
	tb.Helper()
	if err := e.Elect(tb.Context()); err != nil {
		tb.Fatalf("Elect: %v", err)
	}
}

// electing runs Elect in the background.
func electing(ctx context.Context, e reception.Elector) <-chan error {
	result := make(chan error, 1)
	go func() { result <- e.Elect(ctx) }()
	return result
}

func TestElector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, other := pair(t, fake.NewCluster())
		attributes := reception.Attributes{"zone": "a"}
		withAttributes := reception.WithAttributes(attributes)
		attributes["zone"] = "changed"
		one := reception.NewElector(client, "reaper", reception.WithServiceID("one"),
			reception.WithHostAndPort("10.0.0.1", 80), withAttributes)
		two := reception.NewElector(other, "reaper")
		if one.IsLeader() || one.Term() != nil || one.Leader() != nil {
			t.Error("leads, or knows a leader, before Elect")
		}
		elect(t, one)
		elect(t, one) // leads already
		term := one.Term()
		if !one.IsLeader() || term == nil {
			t.Fatal("does not lead after Elect")
		}
		one.Leader().Attributes["zone"] = "changed"
		want := `{ID:one Name:reaper Address:10.0.0.1 Port:80 Attributes:map[zone:a]}`
		if got := fmt.Sprintf("%+v", *one.Leader()); got != want {
			t.Errorf("the leader is %s, want %s", got, want)
		}
		result := electing(t.Context(), two)
		synctest.Wait()
		if two.IsLeader() {
			t.Error("two leaders")
		}
		if got := fmt.Sprintf("%+v", *two.Leader()); got != want {
			t.Errorf("the one who waits sees %s, want %s", got, want)
		}
		two.Leader().Attributes["zone"] = "changed"
		if got := fmt.Sprintf("%+v", *two.Leader()); got != want {
			t.Errorf("a change of what it returned has changed the leader to %s", got)
		}
		one.Cancel()
		synctest.Wait()
		if err := <-result; err != nil || !two.IsLeader() || two.Term().Token() <= term.Token() {
			t.Errorf("the successor: %v, %+v", err, two.Term())
		}
		if one.IsLeader() || one.Term() != nil || one.Leader() != nil || term.Context().Err() == nil {
			t.Error("leads, or watches, after Cancel")
		}
		result = electing(t.Context(), one)
		synctest.Wait()
		if got := one.Leader(); got == nil || got.ID != two.Leader().ID {
			t.Errorf("campaigning again, it sees %+v", got)
		}
		if err := two.Term().Resign(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-result; err != nil || !one.IsLeader() || two.IsLeader() {
			t.Errorf("elected again: %v, %t", err, one.IsLeader())
		}
	})
}

func TestElectErrors(t *testing.T) {
	t.Run("bad name", func(t *testing.T) {
		e := reception.NewElector(newClient(t, fake.NewCluster().Backend()), "a b")
		if err := e.Elect(t.Context()); !errors.Is(err, reception.ErrInvalidService) {
			t.Error(err)
		}
	})
	t.Run("bad option", func(t *testing.T) {
		client := newClient(t, fake.NewCluster().Backend())
		e := reception.NewElector(client, "reaper", reception.WithHostAndPort("0.0.0.0", 1))
		if err := e.Elect(t.Context()); !errors.Is(err, reception.ErrInvalidService) {
			t.Error(err)
		}
		e.Cancel()
	})
	t.Run("closed", func(t *testing.T) {
		client := fake.NewClient()
		e := reception.NewElector(client, "reaper")
		elect(t, e)
		_ = client.Close()
		if e.IsLeader() || e.Leader() != nil {
			t.Error("leads, or knows a leader, after Close")
		}
		if err := e.Elect(t.Context()); !errors.Is(err, reception.ErrClosed) {
			t.Error(err)
		}
	})
	t.Run("closed meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, _, other := pair(t, fake.NewCluster())
			elect(t, reception.NewElector(other, "reaper"))
			result := electing(t.Context(), reception.NewElector(client, "reaper"))
			synctest.Wait()
			_ = client.Close()
			if err := <-result; !errors.Is(err, reception.ErrClosed) {
				t.Error(err)
			}
		})
	})
	t.Run("a second one meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, _, other := pair(t, fake.NewCluster())
			leader, e := reception.NewElector(other, "reaper"), reception.NewElector(client, "reaper")
			elect(t, leader)
			result := electing(t.Context(), e)
			synctest.Wait()
			if err := e.Elect(t.Context()); !errors.Is(err, reception.ErrStarted) {
				t.Error(err)
			}
			leader.Cancel()
			if err := <-result; err != nil {
				t.Errorf("the first one: %v", err)
			}
		})
	})
}

// TestElectCanceled checks the two ways of giving a campaign up, that neither leaves a candidate behind, and that Elect
// works right after.
func TestElectCanceled(t *testing.T) {
	odd := errors.New("odd")
	tests := []struct {
		name   string
		cancel func(e reception.Elector, cancel context.CancelCauseFunc)
		want   []error
		not    []error
	}{
		{
			"Cancel", func(e reception.Elector, _ context.CancelCauseFunc) { e.Cancel() },
			[]error{reception.ErrElectionCanceled},
			[]error{context.Canceled},
		},
		{
			"context", func(_ reception.Elector, cancel context.CancelCauseFunc) { cancel(nil) },
			[]error{reception.ErrElectionCanceled, context.Canceled},
			nil,
		},
		{
			"context with a cause", func(_ reception.Elector, cancel context.CancelCauseFunc) { cancel(odd) },
			[]error{reception.ErrElectionCanceled, context.Canceled, odd},
			nil,
		},
		{
			"deadline", func(reception.Elector, context.CancelCauseFunc) { time.Sleep(time.Hour) },
			[]error{reception.ErrElectionCanceled, context.DeadlineExceeded},
			[]error{context.Canceled},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := fake.NewCluster()
				client, _, other := pair(t, cluster)
				leader, e := reception.NewElector(other, "reaper"), reception.NewElector(client, "reaper")
				elect(t, leader)
				ctx, cancelTimeout := context.WithTimeout(t.Context(), time.Hour)
				defer cancelTimeout()
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				result := electing(ctx, e)
				synctest.Wait()
				test.cancel(e, cancel)
				again := electing(t.Context(), e)
				err := <-result
				for _, want := range test.want {
					if !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
				}
				for _, not := range test.not {
					if errors.Is(err, not) {
						t.Errorf("got %v, which should not be %v", err, not)
					}
				}
				if test.name == "Cancel" {
					synctest.Wait()
					select {
					case err := <-again:
						t.Errorf("Elect after Cancel: %v", err)
					default:
					}
				}
				leader.Cancel()
				if err := <-again; err != nil && !errors.Is(err, reception.ErrStarted) {
					t.Errorf("Elect again: %v", err)
				}
				e.Cancel()
				time.Sleep(time.Second)
				if _, err := other.Leader(t.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) {
					t.Errorf("somebody is left behind: %v", err)
				}
			})
		})
	}
}

// TestElectorDisconnection checks who is told of the end of a term, and of which ends.
func TestElectorDisconnection(t *testing.T) {
	type world struct {
		t       *testing.T
		backend *fake.Backend
		client  reception.Client
		elector reception.Elector
	}
	tests := []struct {
		name string
		end  func(*world)
		want error // nil: nobody is told
	}{
		{"cut off", func(w *world) { w.backend.Cut() }, reception.ErrNotLeader},
		{"expired", func(w *world) { w.backend.ExpireSessions() }, reception.ErrSessionExpired},
		{"canceled", func(w *world) { w.elector.Cancel() }, nil},
		{"resigned", func(w *world) { resign(w.t, w.elector.Term()) }, nil},
		{"closed", func(w *world) { _ = w.client.Close() }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, backend, _ := pair(t, fake.NewCluster())
				var calls []error
				e := reception.NewElector(client, "reaper",
					reception.WithDisconnectionCallback(func(err error) { calls = append(calls, err) }))
				elect(t, e)
				test.end(&world{t, backend, client, e})
				time.Sleep(time.Minute)
				synctest.Wait()
				if e.IsLeader() {
					t.Error("still the leader")
				}
				if test.want == nil && len(calls) > 0 {
					t.Errorf("told of %v", calls)
				}
				if test.want != nil && (len(calls) != 1 || !errors.Is(calls[0], test.want)) {
					t.Errorf("told of %v, want %v, once", calls, test.want)
				}
				if test.want != nil && e.Leader() != nil && test.name == "cut off" {
					t.Errorf("knows of leader %+v, its own term that is over", e.Leader())
				}
				backend.Heal()
			})
		})
	}
}

// TestElectorOverABackendThatWasClosed checks that a term is lost, and not given up, when somebody else than the client
// has closed the backend.
func TestElectorOverABackendThatWasClosed(t *testing.T) {
	bubble(t, func(s *scene) {
		told := make(chan error, 8)
		e := reception.NewElector(s.client, "reaper",
			reception.WithDisconnectionCallback(func(err error) { told <- err }))
		elect(s.T, e)
		if err := s.backend.Close(); err != nil {
			s.Fatal(err)
		}
		time.Sleep(time.Minute)
		if len(told) != 1 {
			s.Fatalf("told %d times, want once", len(told))
		}
		if err := <-told; !errors.Is(err, reception.ErrNotLeader) || errors.Is(err, reception.ErrClosed) {
			s.Errorf("told of %v, want ErrNotLeader: the client is not closed", err)
		}
		e.Cancel()
	})
}

// TestNewElectorWithoutAClient checks that it panics where the mistake is made.
func TestNewElectorWithoutAClient(t *testing.T) {
	defer func() {
		if reason := fmt.Sprint(recover()); reason != "reception: NewElector: client is nil" {
			t.Errorf("panic: %v", reason)
		}
	}()
	reception.NewElector(nil, "reaper")
}

// panicOfReaper is how the panic of a callback is logged.
const panicOfReaper = "panic in the disconnection callback of elector reaper: odd"

// TestElectorCallbackMay checks what a callback may do: call everything that ends something, block, and panic.
func TestElectorCallbackMay(t *testing.T) {
	tests := []struct {
		name string
		do   func(e reception.Elector, c reception.Client)
	}{
		{"Cancel", func(e reception.Elector, _ reception.Client) { e.Cancel() }},
		{"Close", func(_ reception.Elector, c reception.Client) { _ = c.Close() }},
		{"Elect", func(e reception.Elector, _ reception.Client) { _ = e.Elect(context.Background()); e.Cancel() }},
		{"panic", func(reception.Elector, reception.Client) { panic("odd") }},
		{"block", func(reception.Elector, reception.Client) { time.Sleep(time.Hour) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &logbook{}
				backend := fake.NewCluster().Backend()
				client := newClient(t, backend, reception.WithLogger(log))
				var e reception.Elector
				done := make(chan struct{})
				e = reception.NewElector(client, "reaper", reception.WithDisconnectionCallback(func(error) {
					defer close(done)
					test.do(e, client)
				}))
				elect(t, e)
				backend.ExpireSessions()
				synctest.Wait()
				if test.name == "block" {
					elect(t, e) // not held up
				}
				<-done
				synctest.Wait()
				told := strings.Contains(strings.Join(log.all(), "\n"), panicOfReaper)
				if told != (test.name == "panic") {
					t.Errorf("the log has the panic: %t", told)
				}
				e.Cancel()
			})
		})
	}
}

// TestElectorStress has electors of two clients win and cancel as fast as they can, and checks that no two of them
// hold a term at once and that tokens grow.
func TestElectorStress(t *testing.T) {
	cluster := fake.NewCluster()
	clients := []reception.Client{newClient(t, cluster.Backend()), newClient(t, cluster.Backend())}
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	var last, terms atomic.Uint64
	var all sync.WaitGroup
	for n := range 4 {
		e := reception.NewElector(clients[n%2], "reaper")
		all.Go(func() {
			for ctx.Err() == nil {
				_ = e.Elect(ctx)
				if term := e.Term(); term != nil {
					before := last.Swap(term.Token())
					if before >= term.Token() && term.Held() {
						t.Errorf("token %d after %d", term.Token(), before)
					}
					terms.Add(1)
				}
				e.Cancel()
			}
		})
		all.Go(func() {
			for ctx.Err() == nil {
				time.Sleep(time.Millisecond)
				e.Cancel()
				_ = e.Leader()
			}
			e.Cancel()
		})
	}
	all.Wait()
	if terms.Load() < 10 {
		t.Errorf("only %d terms", terms.Load())
	}
}
