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
	Method: "Two clients take turns to lead: from the call of Resign until the other one, who has been waiting " +
		"for the time to live, is told that it leads. Bare: etcd's own Election; ZooKeeper's recipe, " +
		"ephemeral sequential nodes of which each watches the one before; Consul acquires and releases a key " +
		"under a session, and waits in a blocking query. None of them confirms the lead once more after it " +
		"was won, as the SDK does.",
	Measures: []Measure{{took, report.Milliseconds}},
	Phase:    measureHandOver,
}

// An office is an election with somebody in the lead.
type office struct {
	election string
	term     Term
}

func measureHandOver(ctx context.Context, p *Phase) error {
	offices, parties := make([]office, 8), [2]Party{}
	ttl := p.stand.backend.LeadTTL
	for i := range parties {
		party, err := p.connect(ctx, p.sdk, Way{Addr: p.stand.server.Addr(), TTL: ttl})
		if err != nil {
			return err
		}
		parties[i] = party
	}
	for i := range offices {
		o := &offices[i]
		o.election = p.Fresh("hand-over")
		var err error
		if o.term, err = parties[0].Campaign(ctx, o.election, "0"); err != nil {
			return err
		}
	}
	turns := 2 // the first one is not measured
	if p.Quick {
		turns = 1
	}
	for turn := range turns {
		next := make([]<-chan win, len(offices))
		for i, o := range offices {
			next[i] = campaign(ctx, parties[(turn+1)%2], o.election)
		}
		time.Sleep(ttl) // those who wait have got in line by then, and have renewed what they wait on
		for i := range offices {
			d, err := offices[i].changeHands(ctx, next[i])
			if err != nil {
				return err
			}
			if turn == turns-1 {
				p.Took(took, d)
			}
		}
	}
	return errors.Join(resignAll(ctx, offices)...)
}

// changeHands has the leader resign, and returns how long it took until the next one was told.
func (o *office) changeHands(ctx context.Context, next <-chan win) (time.Duration, error) {
	select {
	case early := <-next:
		return 0, errors.Join(early.err, errors.New("elected while another one leads"))
	default:
	}
	start := time.Now()
	var resigning errgroup.Group
	resigning.Go(func() error { return o.term.Resign(ctx) })
	won := <-next
	if err := errors.Join(won.err, resigning.Wait()); err != nil {
		return 0, err
	}
	o.term = won.term
	return won.at.Sub(start), nil
}

func resignAll(ctx context.Context, offices []office) []error {
	var errs []error
	for _, o := range offices {
		errs = append(errs, o.term.Resign(ctx))
	}
	return errs
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
		next, err := p.connect(ctx, p.sdk, Way{Addr: p.stand.server.Addr(), TTL: ttl})
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
