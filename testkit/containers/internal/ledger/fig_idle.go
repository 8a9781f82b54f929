package ledger

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

var idle = Figure{
	Name:  "idle",
	Title: "What a client costs that does nothing",
	Method: "One client with 100 registrations, ten of each of ten names, and 100 watches of as many names, and a " +
		"time to live of 15 s: goroutines and live heap above those before it was connected, without the " +
		"ledger's own; connections; and requests in 15 s, times four. Bare: etcd keeps the lease alive and " +
		"has 100 watches; ZooKeeper has one session and 100 watches; Consul updates 100 TTL checks and has " +
		"100 blocking queries. One round: it counts.",
	Measures: []Measure{
		{"goroutines", report.Count},
		{"heap", report.Kilobytes},
		{"connections", report.Count},
		{"requests", report.PerMinute},
	},
	On:     served,
	Rounds: 1,
	Phase:  measureIdle,
}

func measureIdle(ctx context.Context, p *Phase) error {
	const services, registered, pace = 100, 10, 15 * time.Second
	window := pace
	if p.Quick {
		window = time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	goroutines, heap := footprint()
	party, proxy, err := p.Proxied(ctx, pace)
	if err != nil {
		return err
	}
	prefix := p.Fresh("idle")
	var group errgroup.Group
	group.SetLimit(16)
	for i := range services {
		group.Go(func() error {
			if err := party.Register(ctx, prefix+"-"+strconv.Itoa(i%registered), strconv.Itoa(i)); err != nil {
				return err
			}
			watch, err := party.Watch(ctx, prefix+"-"+strconv.Itoa(i))
			if err != nil {
				return err
			}
			return follow(ctx, watch)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	time.Sleep(window / 15) // until nothing is on its way any more
	open := proxy.Open()
	moreGoroutines, moreHeap := footprint()
	p.Record("goroutines", float64(moreGoroutines-goroutines-services-wireGoroutines*open))
	p.Record("heap", (moreHeap-heap)/1024)
	p.Record("connections", float64(open))
	before := proxy.Counts()
	time.Sleep(window)
	p.Record("requests", float64(proxy.Counts().Since(before).Requests)*float64(time.Minute/window))
	return nil
}

// follow reads a watch on a goroutine of its own, as its user would. It returns when there is a first state.
func follow(ctx context.Context, watch Watch) error {
	if _, err := watch.Next(ctx); err != nil {
		return err
	}
	go func() {
		for {
			if _, err := watch.Next(ctx); err != nil {
				return
			}
		}
	}()
	return nil
}

// wireGoroutines is how many goroutines a proxy has for each connection.
const wireGoroutines = 4

// footprint returns the goroutines and the bytes in use.
func footprint() (goroutines int, heap float64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what had a finalizer goes with the second one
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), float64(m.HeapAlloc)
}
