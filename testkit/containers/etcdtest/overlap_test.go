package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// succession is what became of one trial: when the old leader stopped believing in its term, and when the new one began
// to, by the one clock that both have here.
type succession struct {
	gap      time.Duration // between the old leader's end and the new one's beginning; negative: two leaders
	failover time.Duration // between the fault and the new one's beginning
}

// trial has a holder lead, lets a fault befall it, and waits for the successor.
func trial(
	ctx context.Context, holder, successor reception.Client, election string, fault func() (undo func()),
) (succession, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*ttl)
	defer cancel()
	old, err := holder.Campaign(ctx, election, service("old", "1"))
	if err != nil {
		return succession{}, err
	}
	type win struct {
		term reception.Term
		at   time.Time
		err  error
	}
	won := make(chan win, 1)
	go func() {
		term, err := successor.Campaign(ctx, election, service("new", "1"))
		won <- win{term, time.Now(), err}
	}()
	ended := make(chan time.Time, 1)
	go func() { // of its own, since the fault may take a while to come about
		<-old.Context().Done() // which is after Held has turned false
		ended <- time.Now()
	}()
	time.Sleep(rand.N(ttl / 2)) // the phase of the renewal at which the fault strikes
	began := time.Now()
	undo := fault()
	defer undo()
	end, next := <-ended, <-won
	switch {
	case next.err != nil:
		return succession{}, fmt.Errorf("nobody succeeds: %w", next.err)
	case old.Held():
		return succession{}, errors.New("the old leader's term is held again")
	case next.term.Token() <= old.Token():
		return succession{}, fmt.Errorf("token %d follows %d", next.term.Token(), old.Token())
	}
	return succession{gap: next.at.Sub(end), failover: next.at.Sub(began)}, next.term.Resign(ctx)
}

// judge prints what came of trials and fails if there ever were two leaders.
func judge(tb testing.TB, outcomes []succession) {
	tb.Helper()
	slices.SortFunc(outcomes, func(a, b succession) int { return int(a.gap - b.gap) })
	overlaps := 0
	var failovers []time.Duration
	for _, o := range outcomes {
		failovers = append(failovers, o.failover)
		if o.gap <= 0 {
			overlaps++
		}
	}
	slices.Sort(failovers)
	n := len(outcomes)
	tb.Logf("%d trials: a successor in each, %d overlaps; gap: smallest %v, median %v; fail-over: median %v, longest %v",
		n, overlaps, outcomes[0].gap, outcomes[n/2].gap, failovers[n/2], failovers[n-1])
	if overlaps > 0 {
		tb.Errorf("two leaders in %d of %d trials", overlaps, n)
	}
}

// TestH1Blackhole: the leader's connection swallows everything, and no socket ever reports an error.
func TestH1Blackhole(t *testing.T) {
	t.Parallel()
	server := shared(t)
	const lanes, each = 10, 5
	var mu sync.Mutex
	var outcomes []succession
	var group errgroup.Group
	for lane := range lanes {
		link := server.NewLink(t)
		successor := dial(t, server.Endpoints())
		group.Go(func() error {
			for i := range each {
				holder, err := connect(t, link.Endpoints())
				if err != nil {
					return err
				}
				o, err := trial(t.Context(), holder, successor, fmt.Sprintf("e%d-%d", lane, i), func() func() { return link.Blackhole(t) })
				_ = holder.Close() // on a busy machine it may leave something to its time to live
				if err != nil {
					return err
				}
				mu.Lock()
				outcomes = append(outcomes, o)
				mu.Unlock()
			}
			return nil
		})
	}
	ok(t, group.Wait())
	judge(t, outcomes)
}

// TestH1MemberCutFromItsPeers: nothing is wrong with the holder's own connection: the member that it talks to,
// the leader of the cluster or a follower, is cut off from the others.
func TestH1MemberCutFromItsPeers(t *testing.T) {
	t.Parallel()
	cluster := containers.StartEtcd(t, containers.WithNodes(3))
	var outcomes []succession
	for i := range 6 {
		node := cluster.Leader(t)
		if i%2 == 1 {
			node = cluster.Follower(t)
		}
		rest := slices.DeleteFunc(slices.Clone(cluster.Nodes()), func(n *containers.Node) bool { return n == node })
		holder := dial(t, cluster.NewLink(t).To(node).Endpoints())
		successor := dial(t, cluster.NewLink(t).To(rest...).Endpoints())
		o, err := trial(t.Context(), holder, successor, fmt.Sprintf("e%d", i), func() func() { return cluster.Isolate(t, node) })
		ok(t, err)
		t.Logf("node %d: gap %v, fail-over %v", node.Index(), o.gap, o.failover)
		outcomes = append(outcomes, o)
		cluster.AwaitReady(t)
	}
	judge(t, outcomes)
}
