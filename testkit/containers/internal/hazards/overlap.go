package hazards

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// errVoid says that trials show nothing.
var errVoid = errors.New("too many terms ended before the fault")

// Blackhole is H1: the leader's connection swallows everything, and no socket ever reports an error. In each trial another
// one is elected, and the old one has stopped believing in its term before that.
func Blackhole(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server := b.Shared(t)
	const lanes = 10
	var all outcomes
	var group errgroup.Group
	for lane := range lanes {
		link := server.NewLink(t)
		successor := b.dialWith(t, server.Endpoints(), b.terms(t))
		group.Go(func() error {
			for i, n := 0, 0; n < b.Trials/lanes; i++ {
				if _, enough := all.lacking(b.Trials); !enough {
					return errVoid
				}
				o, err := b.blackholed(t, link, successor, fmt.Sprintf("e%d-%d", lane, i))
				if err != nil {
					return err
				}
				if all.add(o) {
					n++
				}
			}
			return nil
		})
	}
	OK(t, group.Wait())
	all.judge(t)
}

// blackholed is a trial in which a holder's link falls silent.
func (b Backend) blackholed(
	tb testing.TB, link *containers.Link, successor reception.Client, election string,
) (succession, error) {
	tb.Helper()
	holder, err := b.Connect(tb.Context(), link.Endpoints(), b.terms(tb))
	if err != nil {
		return succession{}, err
	}
	defer func() { _ = holder.Close() }() // it may not be connected again yet, and leave something to its time to live
	r, err := b.startRace(tb.Context(), holder, successor, election)
	if err != nil {
		return succession{}, err
	}
	b.phase()
	struck := time.Now()
	undo := link.Blackhole(tb)
	defer undo()
	return r.finish(tb.Context(), struck)
}

// CutFromPeers is H1 where nothing is wrong with the holder's own connection, and its server goes on to answer whatever it
// can answer alone: it is cut off from the servers that decide. In each trial another one is elected through these, and
// the old leader has stopped believing in its term before that.
//
// A partition concerns all who are connected to that server. So several holders share one, each in an election of its own,
// of which the renewals have begun at another time.
func CutFromPeers(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	cluster := b.Ensemble(t)
	var all outcomes
	for round := 0; ; round++ {
		lacking, enough := all.lacking(b.Trials)
		if !enough {
			t.Fatal(errVoid)
		}
		if lacking == 0 {
			break
		}
		b.cutFromPeers(t, cluster, round, min(lacking, b.Together), &all)
		cluster.AwaitReady(t)
	}
	all.judge(t)
}

// cutFromPeers is one partition.
func (b Backend) cutFromPeers(tb testing.TB, cluster *containers.Cluster, round, together int, all *outcomes) {
	tb.Helper()
	split := b.Split(tb, cluster, round)
	link := cluster.NewLink(tb)
	successor := b.dialWith(tb, link.To(split.Rest...).Endpoints(), b.terms(tb))
	holders := make([]reception.Client, together)
	races := make([]*race, together)
	var starting, finishing errgroup.Group
	for i := range holders {
		holders[i] = b.dialWith(tb, link.To(split.Holder).Endpoints(), b.terms(tb))
		starting.Go(func() (err error) {
			time.Sleep(rand.N(b.TermTTL / 2))
			races[i], err = b.startRace(tb.Context(), holders[i], successor, fmt.Sprintf("e%d-%d", round, i))
			return err
		})
	}
	OK(tb, starting.Wait())
	b.phase()
	undo := split.Cut()
	struck := time.Now() // the partition takes a moment to come about, in which nobody should lose a term
	for _, r := range races {
		finishing.Go(func() error {
			o, err := r.finish(tb.Context(), struck)
			if err == nil {
				all.add(o)
			}
			return err
		})
	}
	err := finishing.Wait()
	undo()
	var closing sync.WaitGroup
	for _, holder := range holders {
		closing.Go(func() { _ = holder.Close() }) // it may have been cut off all the while
	}
	closing.Wait()
	OK(tb, err)
}
