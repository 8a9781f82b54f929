package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

var list = Figure{
	Name:  "list",
	Title: "List that asks the servers",
	Method: "ListServices on a client that does not watch the name. Bare: etcd reads the range and leaves the " +
		"values as they are stored; ZooKeeper reads the children and then each of them in turn, as a client " +
		"that blocks does; Consul asks the health endpoint.",
	Measures: []Measure{{took, report.Milliseconds}},
	Sizes:    instances, SizesOf: "instances",
	Phase: measureList,
}

func measureList(ctx context.Context, p *Phase) error {
	party, err := p.Connect(ctx)
	if err != nil {
		return err
	}
	return p.lists(ctx, party, 200, func(d time.Duration) { p.Took(took, d) })
}

// lists calls List again and again, and records how long that takes.
func (p *Phase) lists(ctx context.Context, party Party, most int, record func(time.Duration)) error {
	name, err := p.Filled(ctx)
	if err != nil {
		return err
	}
	return p.Repeat(ctx, most, func(ctx context.Context, warm bool) error {
		start := time.Now()
		n, err := party.List(ctx, name)
		if err == nil && n != p.N {
			err = fmt.Errorf("a list of %d instances, not %d", n, p.N)
		}
		if err == nil && warm {
			record(time.Since(start))
		}
		return err
	})
}

var liveList = Figure{
	Name:  "live-list",
	Title: "List while the name is watched",
	Method: "ListServices while a watcher of the same name runs on the same client, and how many requests that " +
		"sends. There is nothing to compare it with: a bare client has no list but the servers'.",
	Measures: []Measure{{took, report.Microseconds}, {"requests", report.Requests}},
	Sizes:    instances, SizesOf: "instances",
	On: served, Alone: true,
	Phase: measureLiveList,
}

func measureLiveList(ctx context.Context, p *Phase) error {
	party, proxy, err := p.Proxied(ctx, defaultTTL)
	if err != nil {
		return err
	}
	name, err := p.Filled(ctx)
	if err != nil {
		return err
	}
	watch, err := party.Watch(ctx, name)
	if err != nil {
		return err
	}
	if _, _, err := observe(ctx, watch, 16).await(p.N); err != nil {
		return err
	}
	before := proxy.Counts()
	return p.lists(ctx, party, 200, func(d time.Duration) {
		now := proxy.Counts()
		p.Record(took, float64(d)/float64(time.Microsecond))
		p.Record("requests", float64(now.Since(before).Requests))
		before = now
	})
}
