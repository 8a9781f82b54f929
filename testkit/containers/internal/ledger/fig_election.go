package ledger

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

var handOver = Figure{
	Name:  "hand-over",
	Title: "Hand-over after Resign",
	Method: "Two clients take turns to lead: from the call of Resign until the other one, who has been waiting, " +
		"is told that it leads. Bare: etcd's own Election; ZooKeeper's recipe, ephemeral sequential nodes of " +
		"which each watches the one before; Consul acquires and releases a key under a session, and waits in " +
		"a blocking query. None of them confirms the lead once more after it was won, as the SDK does.",
	Measures: []Measure{{took, report.Milliseconds}},
	Phase:    measureHandOver,
}

// settling is given to a candidate to get in line before the lead is given up.
const settling = 100 * time.Millisecond

func measureHandOver(ctx context.Context, p *Phase) error {
	var parties [2]Party
	for i := range parties {
		party, err := p.Connect(ctx)
		if err != nil {
			return err
		}
		parties[i] = party
	}
	election := p.Fresh("hand-over")
	term, err := parties[0].Campaign(ctx, election, "0")
	if err != nil {
		return err
	}
	turn := 0
	err = p.Repeat(ctx, 10, func(ctx context.Context, warm bool) error {
		turn++
		next := campaign(ctx, parties[turn%2], election)
		select {
		case <-time.After(settling):
		case early := <-next:
			return errors.Join(early.err, errors.New("elected while another one leads"))
		}
		start := time.Now()
		var resigning errgroup.Group
		resigning.Go(func() error { return term.Resign(ctx) })
		won := <-next
		if err := errors.Join(won.err, resigning.Wait()); err != nil {
			return err
		}
		term = won.term
		if warm {
			p.Took(took, won.at.Sub(start))
		}
		return nil
	})
	return errors.Join(err, term.Resign(ctx))
}

// A win is the outcome of a campaign.
type win struct {
	term Term
	at   time.Time
	err  error
}

// campaign stands for an election in the background.
func campaign(ctx context.Context, party Party, election string) <-chan win {
	won := make(chan win, 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		term, err := party.Campaign(ctx, election, "next")
		won <- win{term, time.Now(), err}
	}()
	return won
}

var failOver = Figure{
	Name:  "fail-over",
	Title: "Fail-over after a crash",
	Method: "The connection of a client that leads is cut for good, which is what a crash looks like to everybody " +
		"else: from then until another client, who has been waiting, is told that it leads. The time to live " +
		"is 3 s on etcd, ZooKeeper and the fake and 2 s, with a lock delay of 2 s, on Consul; the bare " +
		"clients have the same. It is this long by design, and nothing but the time above the time to live is " +
		"a cost. All rounds run side by side, since they wait most of the time.",
	Measures: []Measure{{took, report.Milliseconds}},
	On:       served,
	Phase:    measureFailOver,
}

func measureFailOver(ctx context.Context, p *Phase) error {
	const trials = 4
	ttl := p.stand.backend.LeadTTL
	var group errgroup.Group
	durations := make([]time.Duration, trials)
	for i := range trials {
		leader, proxy, err := p.Proxied(ctx, ttl)
		if err != nil {
			return err
		}
		next, err := p.connect(ctx, Way{Addr: p.stand.server.Addr(), TTL: ttl})
		if err != nil {
			return err
		}
		election := p.Fresh("fail-over")
		if _, err := leader.Campaign(ctx, election, "leader"); err != nil {
			return err
		}
		won := campaign(ctx, next, election)
		group.Go(func() error {
			// Somewhere between two heartbeats, as crashes are.
			time.Sleep(ttl/3 + time.Duration(i)*ttl/3/trials)
			proxy.Cut()
			start := time.Now()
			win := <-won
			durations[i] = win.at.Sub(start)
			return win.err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, d := range durations {
		p.Took(took, d)
	}
	return nil
}
