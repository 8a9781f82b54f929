package ledger

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

var burst = Figure{
	Name:  "burst",
	Title: "A burst of registrations",
	Method: "One client registers 500 instances of one name, 16 at a time, while another one watches: how long " +
		"the registering takes, how many states the watcher gets, and how long after the last registration " +
		"has returned it gets the complete one (0: it was there before). The parties are those of the figures " +
		"above.",
	Measures: []Measure{
		{"registering", report.Milliseconds}, {"states", report.Count}, {"until complete", report.Milliseconds},
	},
	Phase: measureBurst,
}

func measureBurst(ctx context.Context, p *Phase) error {
	total := 500
	if p.Quick {
		total = 20
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	writer, err := p.Connect(ctx)
	if err != nil {
		return err
	}
	reader, err := p.Connect(ctx)
	if err != nil {
		return err
	}
	name := p.Fresh("burst")
	watch, err := reader.Watch(ctx, name)
	if err != nil {
		return err
	}
	o := observe(ctx, watch, 1024)
	if _, _, err := o.await(0); err != nil {
		return err
	}
	start := time.Now()
	if err := registerAll(ctx, writer, name, total); err != nil {
		return err
	}
	done := time.Now()
	seen, states, err := o.await(total)
	if err != nil {
		return err
	}
	p.Took("registering", done.Sub(start))
	p.Record("states", float64(states))
	p.Took("until complete", max(0, seen.Sub(done)))
	return nil
}

// registerAll registers so many instances, some of them side by side.
func registerAll(ctx context.Context, party Party, name string, total int) error {
	var group errgroup.Group
	group.SetLimit(16)
	for i := range total {
		group.Go(func() error { return party.Register(ctx, name, strconv.Itoa(i)) })
	}
	return group.Wait()
}
