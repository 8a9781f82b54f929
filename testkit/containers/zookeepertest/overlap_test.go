package zookeepertest

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

// A race is a trial that has begun: one leads, and another one waits.
type race struct {
	old    reception.Term
	ended  chan time.Time // when old has ended
	won    chan win
	cancel context.CancelFunc
}

// A win is what came of a campaign.
type win struct {
	term reception.Term
	at   time.Time
	err  error
}

// start has holder lead, and successor wait.
func start(ctx context.Context, holder, successor reception.Client, election string) (*race, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*ttl)
	old, err := holder.Campaign(ctx, election, service("old", "1"))
	if err != nil {
		cancel()
		return nil, err
	}
	r := &race{old: old, ended: make(chan time.Time, 1), won: make(chan win, 1), cancel: cancel}
	go func() {
		<-old.Context().Done() // which is after Held has turned false
		r.ended <- time.Now()
	}()
	go func() {
		term, err := successor.Campaign(ctx, election, service("new", "1"))
		r.won <- win{term, time.Now(), err}
	}()
	return r, nil
}

// errVoid says that a trial showed nothing: a machine that is too busy has lost the term. It is made again.
var errVoid = errors.New("the old leader's term ended before the fault")

// finish waits for the succession after a fault that struck when it began.
func (r *race) finish(ctx context.Context, began time.Time) (succession, error) {
	defer r.cancel()
	end := <-r.ended
	next := <-r.won
	switch {
	case next.err != nil:
		return succession{}, fmt.Errorf("nobody succeeds: %w", next.err)
	case r.old.Held():
		return succession{}, errors.New("the old leader's term is held again")
	case next.term.Token() <= r.old.Token():
		return succession{}, fmt.Errorf("token %d follows %d", next.term.Token(), r.old.Token())
	case end.Before(began):
		return succession{}, errors.Join(errVoid, context.Cause(r.old.Context()), next.term.Resign(ctx))
	}
	return succession{gap: next.at.Sub(end), failover: next.at.Sub(began)}, next.term.Resign(ctx)
}

// phase waits until the renewals of a term are anywhere in their rhythm.
func phase() { time.Sleep(ttl/2 + rand.N(ttl/2)) }

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

// TestBlackhole is H1 and G1: the leader's connection swallows everything, and no socket ever reports an error.
func TestBlackhole(t *testing.T) {
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
			for i, void := 0, 0; i < each; i++ {
				holder, err := connect(t, link.Endpoints())
				if err != nil {
					return err
				}
				r, err := start(t.Context(), holder, successor, fmt.Sprintf("e%d-%d-%d", lane, i, void))
				if err != nil {
					return err
				}
				phase()
				began := time.Now()
				undo := link.Blackhole(t)
				o, err := r.finish(t.Context(), began)
				undo()
				_ = holder.Close() // it may not be connected again yet
				if errors.Is(err, errVoid) && void < each {
					void++
					i--
					continue
				}
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

// TestFollowerCutFromTheLeader is the one where nothing is wrong with the holder's own connection, with what it reads
// there, or with its pings: the server at the other end, a follower, is cut off from the leader of the servers.
//
// A partition concerns all who are connected to that follower. So the holders of a round share one, each in an election
// of its own, of which the renewals have begun at another time.
func TestFollowerCutFromTheLeader(t *testing.T) {
	t.Parallel()
	cluster := containers.StartZooKeeper(t, containers.WithNodes(3))
	const rounds, together = 5, 10
	var outcomes []succession
	for round := range rounds {
		leader, follower := cluster.Leader(t), cluster.Follower(t)
		rest := slices.DeleteFunc(slices.Clone(cluster.Nodes()), func(n *containers.Node) bool { return n == follower })
		links := cluster.NewLink(t)
		successor := dial(t, links.To(rest...).Endpoints())
		holders := make([]reception.Client, together)
		races := make([]*race, together)
		var starting errgroup.Group
		for i := range holders {
			holders[i] = dial(t, links.To(follower).Endpoints())
			starting.Go(func() (err error) {
				time.Sleep(rand.N(ttl / 2))
				races[i], err = start(t.Context(), holders[i], successor, fmt.Sprintf("e%d-%d", round, i))
				return err
			})
		}
		ok(t, starting.Wait())
		phase()
		undo := cluster.Partition(t, follower, leader)
		began := time.Now() // the partition takes a moment to come about, in which nobody may lose a term
		for _, r := range races {
			o, err := r.finish(t.Context(), began)
			ok(t, err)
			outcomes = append(outcomes, o)
		}
		undo()
		var closing sync.WaitGroup
		for _, holder := range holders {
			closing.Go(func() { _ = holder.Close() }) // it may have been cut off all the while
		}
		closing.Wait()
		cluster.AwaitReady(t)
	}
	judge(t, outcomes)
}

// TestServersLeaderIsKilled has the leader of the servers killed under a term: another one is elected among the servers,
// sessions live on, and if the term does end there is still no overlap.
func TestServersLeaderIsKilled(t *testing.T) {
	t.Parallel()
	cluster := containers.StartZooKeeper(t, containers.WithNodes(3))
	client, other := dial(t, cluster.Endpoints()), dial(t, cluster.Endpoints())
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := other.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	for i := range 3 {
		r, err := start(t.Context(), client, other, fmt.Sprintf("e%d", i))
		ok(t, err)
		phase()
		restart := cluster.Leader(t).Kill(t)
		eventually(t, 10*ttl, func() string { return "the servers work again" }, func() bool {
			listed, err := ids(t.Context(), other, "api")
			return err == nil && slices.Equal(listed, []string{"1"})
		})
		id := fmt.Sprintf("another-%d", i)
		eventually(t, 10*ttl, func() string { return "the servers take writes again" }, func() bool {
			return client.Register(t.Context(), service("api", id), nil) == nil
		})
		healthy(t, states, "1", id)
		if r.old.Held() {
			ok(t, r.old.Verify(t.Context()))
			t.Log("the term has survived")
			ok(t, r.old.Resign(t.Context()))
		}
		end := <-r.ended
		next := <-r.won
		ok(t, next.err)
		if gap := next.at.Sub(end); gap < -time.Millisecond { // a hand-over has no gap to speak of
			t.Errorf("two leaders for %v", -gap)
		}
		ok(t, next.term.Resign(t.Context()))
		r.cancel()
		restart()
		cluster.AwaitReady(t)
		ok(t, client.Deregister(t.Context(), service("api", id)))
	}
}
