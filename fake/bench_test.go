package fake_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// The benchmarks run on one core, since that is what the figures in the documentation are about.

// BenchmarkRegisterUpdate is a record written again by its owner.
func BenchmarkRegisterUpdate(b *testing.B) {
	p, session := process(b, fake.NewCluster())
	request := &driver.RegisterRequest{Session: session, Instance: instance(p, "1")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Register(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

// BenchmarkListServices is a list of one instance.
func BenchmarkListServices(b *testing.B) {
	p, session := process(b, fake.NewCluster())
	register(b, p, session, "1")
	request := &driver.ListServicesRequest{Name: "web"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.ListServices(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

// BenchmarkRenewSession is what a process does most.
func BenchmarkRenewSession(b *testing.B) {
	p, session := process(b, fake.NewCluster())
	request := &driver.RenewSessionRequest{Session: session}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.RenewSession(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

// BenchmarkHandOver is a lead that goes from the one who withdraws to the next in a queue of that many.
func BenchmarkHandOver(b *testing.B) {
	for _, waiting := range []int{1, 1000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) { handOver(b, waiting) })
	}
}

func handOver(b *testing.B, waiting int) {
	b.Helper()
	p, first := process(b, fake.NewCluster(fake.WithTTL(time.Hour)))
	turns := make(chan driver.SessionID, 1)
	var done sync.WaitGroup
	await := func(session driver.SessionID) {
		enqueue(b, p, session)
		done.Go(func() {
			_, err := p.AwaitTurn(context.Background(), &driver.AwaitTurnRequest{Session: session, Election: "e"})
			if err == nil {
				turns <- session
			}
		})
	}
	await(first)
	for range waiting {
		await(open(b, p))
	}
	b.ReportAllocs()
	for b.Loop() {
		leader := <-turns
		request := &driver.WithdrawRequest{Session: leader, Election: "e"}
		if _, err := p.Withdraw(b.Context(), request); err != nil {
			b.Fatal(err)
		}
		await(leader)
	}
	b.StopTimer()
	_ = p.Close()
	done.Wait()
}

// BenchmarkFanOut is one change on its way to all streams of a service.
func BenchmarkFanOut(b *testing.B) {
	for _, streams := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) { fanOut(b, streams) })
	}
}

func fanOut(b *testing.B, streams int) {
	b.Helper()
	p, session := process(b, fake.NewCluster())
	request := &driver.RegisterRequest{Session: session, Instance: instance(p, "1")}
	var arrived, done sync.WaitGroup
	arrived.Add(streams)
	for range streams {
		s, err := p.OpenWatchService(b.Context(), &driver.WatchServiceRequest{Name: "web"})
		if err != nil {
			b.Fatal(err)
		}
		done.Go(func() {
			for {
				if _, err := s.Next(context.Background()); err != nil {
					return
				}
				arrived.Done()
			}
		})
	}
	arrived.Wait()
	b.ReportAllocs()
	var writing time.Duration
	for b.Loop() {
		arrived.Add(streams)
		start := time.Now()
		if _, err := p.Register(b.Context(), request); err != nil {
			b.Fatal(err)
		}
		writing += time.Since(start)
		arrived.Wait()
	}
	b.ReportMetric(float64(writing.Nanoseconds())/float64(b.N), "ns/write")
	b.ReportMetric(float64(b.N*streams)/b.Elapsed().Seconds(), "deliveries/s")
	b.StopTimer()
	_ = p.Close()
	done.Wait()
}

func perSecond(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}
