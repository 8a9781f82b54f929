package zookeepertest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
)

// TestWatchThroughLostConnections is H5: fifty times all connections of a reader end while instances come and go.
func TestWatchThroughLostConnections(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	writer, reader := dial(t, server.Endpoints()), dial(t, link.Endpoints())
	ok(t, writer.Register(t.Context(), service("api", "stays"), nil))
	states, err := reader.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "stays")
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-stop:
				return
			case state, more := <-states:
				if !more {
					return // the test has failed elsewhere
				}
				there := slices.ContainsFunc(state.Services, func(s *reception.Service) bool { return s.ID == "stays" })
				if !there {
					t.Errorf("a state without the instance that stays: %+v", state)
				}
			}
		}
	})
	for i := range 50 {
		link.Cut(t)()
		id := fmt.Sprint(i % 5)
		if i%10 < 5 {
			ok(t, writer.Register(t.Context(), service("api", id), nil))
		} else {
			ok(t, writer.Deregister(t.Context(), service("api", id)))
		}
	}
	close(stop)
	watching.Wait()
	ok(t, writer.Register(t.Context(), service("api", "last"), nil))
	healthy(t, states, "stays", "last")
}

// TestThousandWatches is H8: a thousand watchers are started and stopped, and what they took is given back.
func TestThousandWatches(t *testing.T) {
	server := shared(t)
	client := dial(t, server.Endpoints())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	cycle := func() {
		w := client.NewWatcher("api")
		states, err := w.Start(t.Context())
		ok(t, err)
		healthy(t, states, "1")
		w.Stop()
		w.Stop()
	}
	cycle()
	var before int
	eventually(t, grace, func() string { return "it is quiet" }, func() bool {
		last := before
		before = runtime.NumGoroutine()
		return last == before
	})
	for range 1000 {
		cycle()
	}
	eventually(t, ttl+grace, func() string { return fmt.Sprintf("%d goroutines, before %d", runtime.NumGoroutine(), before) },
		func() bool { return runtime.NumGoroutine() <= before+2 })
}

// TestTokensGrow is H15: tokens grow through a thousand elections, with everybody gone in between and the parent deleted.
func TestTokensGrow(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client := dial(t, server.Endpoints())
	admin := open(t, server.Endpoints()...)
	const lanes, each = 20, 50
	var group errgroup.Group
	for lane := range lanes {
		group.Go(func() error {
			last := uint64(0)
			for i := range each {
				term, err := client.Campaign(t.Context(), fmt.Sprint("e", lane), service("e", "1"))
				if err != nil {
					return err
				}
				if term.Token() <= last {
					return fmt.Errorf("token %d follows %d", term.Token(), last)
				}
				last = term.Token()
				if err := term.Resign(t.Context()); err != nil {
					return err
				}
				if i%10 == 0 {
					if err := deleteAll(admin, prefix(t)+"/elections/e"+fmt.Sprint(lane)); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	ok(t, group.Wait())
}

// TestManyCandidates is H30: there are five hundred candidates, the leader falls silent, and the second leads, and nobody
// else. That no more than one or two are woken by it is counted where servers can be made to count.
func TestManyCandidates(t *testing.T) {
	t.Parallel()
	server := shared(t)
	const clients, each = 25, 20
	link := server.NewLink(t)
	first := dial(t, link.Endpoints(), zookeeper.WithSessionTimeout(6*time.Second))
	_, err := first.Campaign(t.Context(), "e", service("first", "1"))
	ok(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	won := make(chan string, clients*each)
	var group errgroup.Group
	admin := open(t, server.Endpoints()...)
	queued := func() int {
		names, _, err := admin.Children(prefix(t) + "/elections/e")
		ok(t, err)
		return len(names)
	}
	second := dial(t, server.Endpoints(), zookeeper.WithSessionTimeout(20*time.Second))
	group.Go(func() error { return stand(ctx, second, "second", won) })
	eventually(t, 2*grace, func() string { return "the second queues" }, func() bool { return queued() == 2 })
	for c := range clients {
		client := dial(t, server.Endpoints(), zookeeper.WithSessionTimeout(20*time.Second))
		for i := range each {
			group.Go(func() error { return stand(ctx, client, fmt.Sprintf("%d-%d", c, i), won) })
		}
	}
	eventually(t, time.Minute, func() string { return fmt.Sprintf("%d queue", queued()) },
		func() bool { return queued() == 2+clients*each })
	undo := link.Blackhole(t)
	defer undo()
	select {
	case next := <-won:
		if next != "second" {
			t.Errorf("%s leads next", next)
		}
	case <-time.After(time.Minute):
		t.Error("nobody succeeds")
	}
	if n := len(won); n > 0 {
		t.Errorf("%d more lead", n)
	}
	cancel()
	ok(t, group.Wait())
}

// stand campaigns until ctx ends.
func stand(ctx context.Context, client reception.Client, id string, won chan<- string) error {
	_, err := client.Campaign(ctx, "e", service("candidate", id))
	if err == nil {
		won <- id
		return nil
	}
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return err
}

// TestExhibitorMoves is H31 on real servers: the ensemble moves behind an Exhibitor that fails in between.
func TestExhibitorMoves(t *testing.T) {
	t.Parallel()
	server := shared(t)
	from, to := server.NewLink(t), server.NewLink(t)
	e := exhibit(t, from.Endpoints()[0])
	client, err := zookeeper.DialExhibitor(t.Context(), e.URL(), zookeeper.WithExhibitorInterval(100*time.Millisecond),
		zookeeper.WithPrefix(prefix(t)), zookeeper.WithSessionTimeout(ttl), zookeeper.WithDialTimeout(20*time.Second))
	ok(t, err)
	t.Cleanup(func() { _ = client.Close() }) // at the latest
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	other := dial(t, server.Endpoints())
	moved := exhibitAt(t, to.Endpoints()[0])
	e.SetServers(moved.port, moved.host)
	asked := e.Requests()
	eventually(t, grace, func() string { return "it is asked twice" }, func() bool { return e.Requests() > asked+1 })
	undo := from.Cut(t)
	defer undo()
	sees(t, 2*ttl+step+grace, other, "api", "1")
	eventually(t, 2*ttl+step+grace, func() string { return "the client works at the new address" }, func() bool {
		return client.Register(t.Context(), service("api", "2"), nil) == nil
	})
}
