package ledger

import (
	"context"
	"strconv"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

var watchers = Figure{
	Name:  "watchers",
	Title: "Many watchers of one name",
	Method: "So many watchers of one name on one client, each read by a goroutine of its own, and ten instances: " +
		"the time from the call of Register to the arrival at the last of them, and the requests of the " +
		"watching client for each change. Bare: one watch, whose states go to as many channels of one slot, " +
		"the latest one winning.",
	Measures: []Measure{{took, report.Milliseconds}, {"requests", report.Requests}},
	Sizes:    []int{1, 100, 1_000, 10_000}, SizesOf: "watchers",
	Phase: measureWatchers,
}

func measureWatchers(ctx context.Context, p *Phase) error {
	const present = 10
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	writer, err := p.Connect(ctx)
	if err != nil {
		return err
	}
	reader, requests, err := p.watched(ctx)
	if err != nil {
		return err
	}
	name, err := p.stand.filled(ctx, present)
	if err != nil {
		return err
	}
	observers, err := p.watchMany(ctx, reader, name)
	if err != nil {
		return err
	}
	all := func(size int) (latest time.Time, err error) {
		for _, o := range observers {
			at, _, err := o.await(size)
			if err != nil {
				return latest, err
			}
			if at.After(latest) {
				latest = at
			}
		}
		return latest, nil
	}
	if _, err := all(present); err != nil {
		return err
	}
	i := 0
	return p.Repeat(ctx, 100, func(ctx context.Context, warm bool) error {
		i++
		id := "watched-" + strconv.Itoa(i)
		before, start := requests(), time.Now()
		if err := writer.Register(ctx, name, id); err != nil {
			return err
		}
		seen, err := all(present + 1)
		if err != nil {
			return err
		}
		if warm {
			p.Took(took, seen.Sub(start))
		}
		if err := writer.Deregister(ctx, name, id); err != nil {
			return err
		}
		_, err = all(present)
		if warm && p.stand.backend.Protocol != nil {
			p.Record("requests", float64(requests()-before)/2)
		}
		return err
	})
}

// watched returns a party that watches, and what counts its requests. Both parties of the figure go through a proxy.
func (p *Phase) watched(ctx context.Context) (Party, func() int64, error) {
	if p.stand.backend.Protocol == nil {
		party, err := p.Connect(ctx)
		return party, func() int64 { return 0 }, err
	}
	party, proxy, err := p.Proxied(ctx, defaultTTL)
	if err != nil {
		return nil, nil, err
	}
	return party, func() int64 { return proxy.Counts().Requests }, nil
}

// watchMany starts N watchers.
func (p *Phase) watchMany(ctx context.Context, reader Party, name string) ([]*observer, error) {
	var watches []Watch
	if !p.sdk {
		watch, err := reader.Watch(ctx, name)
		if err != nil {
			return nil, err
		}
		watches = distribute(ctx, watch, p.N)
	}
	observers := make([]*observer, p.N)
	for i := range observers {
		if p.sdk {
			watch, err := reader.Watch(ctx, name)
			if err != nil {
				return nil, err
			}
			watches = append(watches, watch)
		}
		observers[i] = observe(ctx, watches[i], 16)
	}
	return observers, nil
}

// slot is a channel that keeps the latest size.
type slot chan int

// Next implements [Watch].
func (s slot) Next(ctx context.Context) (int, error) {
	select {
	case size := <-s:
		return size, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// distribute hands what one watch tells to n others, as a user of the bare client would write it.
func distribute(ctx context.Context, from Watch, n int) []Watch {
	slots, watches := make([]slot, n), make([]Watch, n)
	for i := range slots {
		slots[i] = make(slot, 1)
		watches[i] = slots[i]
	}
	go func() {
		for {
			size, err := from.Next(ctx)
			if err != nil {
				return // those who wait for a state say so
			}
			for _, s := range slots {
				select {
				case <-s:
				default:
				}
				s <- size
			}
		}
	}()
	return watches
}
