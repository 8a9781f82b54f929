package zookeepertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
)

// TestH3ManyComeBack has a thousand registrations come back at once.
func TestH3ManyComeBack(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	client, other := dial(t, link.Endpoints()), dial(t, server.Endpoints())
	const n = 1000
	for i := range n {
		ok(t, client.Register(t.Context(), service("api", fmt.Sprint(i)), nil))
	}
	undo := link.Cut(t)
	sees(t, 3*ttl, other, "api")
	undo()
	start := time.Now()
	eventually(t, 10*time.Second, func() string { return "all are back" }, func() bool {
		got, err := ids(t.Context(), other, "api")
		return err == nil && len(got) == n
	})
	t.Logf("%d are back after %v", n, time.Since(start))
}

// TestH30ManyCandidates: there are five hundred candidates, the leader falls silent, and the second leads, and nobody
// else. That no more than one or two are woken by it is counted where servers can be made to count.
func TestH30ManyCandidates(t *testing.T) {
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
