package reception_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

// TestWatchStress has watchers of few names come and go in every way there is, while the instances change and in the
// end the client is closed. The race detector, goleak and a send on a closed channel are what it would fail by.
func TestWatchStress(t *testing.T) {
	cluster := fake.NewCluster()
	backend := cluster.Backend()
	client := reception.NewClient(backend, reception.WithBackoff(time.Millisecond, 5*time.Millisecond))
	other := newClient(t, cluster.Backend())
	stop := make(chan struct{})
	var all sync.WaitGroup
	name := func() string { return fmt.Sprintf("api%d", rand.IntN(3)) }
	repeat := func(step func() bool) {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if !step() {
					return
				}
			}
		})
	}
	for range 8 {
		repeat(func() bool { return watchOnce(t, client, name()) })
	}
	repeat(func() bool {
		s := service(name(), fmt.Sprintf("i%d", rand.IntN(5)), rand.IntN(9))
		_ = other.Register(context.Background(), s, nil)
		if rand.IntN(2) == 0 {
			_ = other.Deregister(context.Background(), s)
		}
		return true
	})
	repeat(func() bool {
		time.Sleep(time.Millisecond)
		backend.Cut()
		backend.Heal()
		return true
	})
	time.Sleep(300 * time.Millisecond)
	if err := client.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	close(stop)
	all.Wait()
}

// watchOnce watches for a moment, checks what it sees, and ends the watch in one of the ways there are. It reports
// false when the client is closed.
func watchOnce(t *testing.T, client reception.Client, name string) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := client.NewWatcher(name)
	defer w.Stop()
	states, err := w.Start(ctx)
	if err != nil {
		if !errors.Is(err, reception.ErrClosed) {
			t.Error(err)
		}
		return false
	}
	seen := map[string]int{}
	revision := uint64(0)
	for range rand.IntN(5) {
		state, open := <-states
		if !open {
			return false
		}
		if state.Revision <= revision {
			t.Errorf("Revision was %d and is %d", revision, state.Revision)
		}
		revision = state.Revision
		for _, s := range state.Removed {
			delete(seen, s.ID)
		}
		for _, s := range append(append([]*reception.Service{}, state.Added...), state.Updated...) {
			seen[s.ID] = s.Port
		}
		if len(seen) != len(state.Services) {
			t.Errorf("the deltas lead to %v, the state is %v", seen, ids(state.Services))
		}
		for _, s := range state.Services {
			if port, there := seen[s.ID]; !there || port != s.Port {
				t.Errorf("the deltas lead to %v, the state is %v", seen, ids(state.Services))
			}
		}
	}
	switch rand.IntN(3) {
	case 0:
		go w.Stop()
	case 1:
		go cancel()
	}
	return true
}

func BenchmarkWatch(b *testing.B) {
	for _, watchers := range []int{1, 1_000, 10_000} {
		b.Run(fmt.Sprintf("watchers=%d", watchers), func(b *testing.B) {
			cluster := fake.NewCluster()
			client, other := newClient(b, cluster.Backend()), newClient(b, cluster.Backend())
			var all []<-chan *reception.ServiceState
			for range watchers {
				states, err := client.NewWatcher("api").Start(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				<-states
				all = append(all, states)
			}
			b.ReportAllocs()
			s := service("api", "a", 0)
			for b.Loop() {
				s.Port = s.Port%60_000 + 1
				if err := other.Register(context.Background(), s, nil); err != nil {
					b.Fatal(err)
				}
				for _, states := range all {
					<-states
				}
			}
		})
	}
}
