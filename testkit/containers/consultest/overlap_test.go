package consultest

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

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// quick is what candidates of these tests have: a check of 2 s, and a lock-delay of 2 s.
var quick = []consul.Option{consul.WithTTL(2 * time.Second), consul.WithLockDelay(lockDelay), consul.WithTTLChecks()}

// A succession is what became of one trial, by the one clock that both candidates have here.
type succession struct {
	gap      time.Duration // between the old leader's end and the new one's beginning; negative: two leaders
	failover time.Duration // between the fault and the new one's beginning
}

// A trial is an election with a leader and one who waits.
type trial struct {
	old   reception.Term
	ended chan time.Time // when the old term has ended, which is after Held has turned false
	next  chan win
}

// A win is the end of the wait.
type win struct {
	term reception.Term
	at   time.Time
	err  error
}

// begin has a holder lead and another one wait.
func begin(ctx context.Context, holder, successor reception.Client, election string) (*trial, error) {
	old, err := holder.Campaign(ctx, election, service("old", "1"))
	if err != nil {
		return nil, err
	}
	r := &trial{old: old, ended: make(chan time.Time, 1), next: make(chan win, 1)}
	context.AfterFunc(old.Context(), func() { r.ended <- time.Now() })
	go func() {
		term, err := successor.Campaign(ctx, election, service("new", "1"))
		r.next <- win{term, time.Now(), err}
	}()
	time.Sleep(rand.N(time.Second)) // the phase of the renewal at which the fault strikes
	return r, nil
}

// finish waits for what comes after a fault that struck at a moment.
func (r *trial) finish(ctx context.Context, fault time.Time) (succession, error) {
	next := <-r.next
	end := <-r.ended
	switch {
	case next.err != nil:
		return succession{}, fmt.Errorf("nobody succeeds: %w", next.err)
	case r.old.Held():
		return succession{}, errors.New("the old leader's term is held again")
	case next.term.Token() <= r.old.Token():
		return succession{}, fmt.Errorf("token %d follows %d", next.term.Token(), r.old.Token())
	}
	err := next.term.Resign(ctx)
	if errors.Is(err, reception.ErrNotLeader) {
		err = nil // the next term has lapsed since, while others were waited for
	}
	return succession{gap: next.at.Sub(end), failover: next.at.Sub(fault)}, err
}

// judge prints what came of trials and fails if there ever were two leaders.
func judge(tb testing.TB, outcomes []succession, want int) {
	tb.Helper()
	if len(outcomes) != want {
		tb.Fatalf("%d trials, want %d", len(outcomes), want)
	}
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

// TestBlackhole is H1, and the first half of H19: the leader's connection swallows everything, and no socket ever reports
// an error.
func TestBlackhole(t *testing.T) {
	t.Parallel()
	server := shared(t)
	const lanes, each = 10, 2
	var mu sync.Mutex
	var outcomes []succession
	var group errgroup.Group
	for lane := range lanes {
		link := server.NewLink(t)
		successor := dial(t, server.Endpoints()[0], quick...)
		group.Go(func() error {
			for i := range each {
				o, err := blackholed(t, link, successor, fmt.Sprintf("e%d-%d", lane, i))
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
	judge(t, outcomes, lanes*each)
}

// blackholed is a trial in which a holder's link falls silent.
func blackholed(t *testing.T, link *containers.Link, successor reception.Client, election string) (o succession, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	holder, err := connect(t, link.Endpoints()[0], quick...)
	if err != nil {
		return succession{}, err
	}
	defer func() { err = errors.Join(err, holder.Close()) }()
	r, err := begin(ctx, holder, successor, election)
	if err != nil {
		return succession{}, err
	}
	fault := time.Now()
	undo := link.Blackhole(t)
	defer undo()
	return r.finish(ctx, fault)
}

// TestAgentCutFromServers is H1 where nothing is wrong with the holder's own connection: its agent answers every
// heartbeat, and is cut off from the servers. They free the lock when they find that the agent has failed.
func TestAgentCutFromServers(t *testing.T) {
	t.Parallel()
	const rounds, each = 4, 5
	cluster := containers.StartConsul(t, containers.WithNodes(3), containers.WithConsulAgents(1))
	agent := cluster.Node(3)
	holder := dial(t, cluster.NewLink(t).To(agent).Endpoints()[0], quick...)
	successor := dial(t, cluster.NewLink(t).To(cluster.Node(0)).Endpoints()[0], quick...)
	var outcomes []succession
	for round := range rounds {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		var trials []*trial
		for i := range each {
			r, err := begin(ctx, holder, successor, fmt.Sprintf("e%d-%d", round, i))
			ok(t, err)
			trials = append(trials, r)
		}
		fault := time.Now()
		undo := cluster.Isolate(t, agent)
		for _, r := range trials {
			o, err := r.finish(ctx, fault)
			ok(t, err)
			outcomes = append(outcomes, o)
		}
		undo()
		cancel()
		cluster.AwaitReady(t)
	}
	judge(t, outcomes, rounds*each)
}
