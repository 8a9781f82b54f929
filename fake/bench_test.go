package fake_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// The benchmarks run on one core, since that is what the figures in the documentation are about.

// process opens a session on a process of its own.
func process(tb testing.TB, c *fake.Cluster, options ...fake.BackendOption) (*fake.Backend, driver.SessionID) {
	tb.Helper()
	b := c.Backend(options...)
	tb.Cleanup(func() { b.Close() })
	opened, err := b.OpenSession(context.Background(), &driver.OpenSessionRequest{})
	if err != nil {
		tb.Fatal(err)
	}
	return b, opened.Session
}

func BenchmarkRegisterUpdate(b *testing.B) {
	p, session := process(b, fake.NewCluster())
	request := &driver.RegisterRequest{Session: session, Instance: driver.Instance{
		Service: driver.Service{ID: "1", Name: "web", Address: "10.0.0.1", Port: 80},
		Owner:   "me",
	}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Register(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

func BenchmarkListServices(b *testing.B) {
	p, session := process(b, fake.NewCluster())
	register(b, p, session, "web", "1")
	request := &driver.ListServicesRequest{Name: "web"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.ListServices(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

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

// BenchmarkFanOut is one change on its way to all streams of a service.
func BenchmarkFanOut(b *testing.B) {
	for _, streams := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) { fanOut(b, streams) })
	}
}

func fanOut(b *testing.B, streams int) {
	p, session := process(b, fake.NewCluster())
	request := &driver.RegisterRequest{Session: session, Instance: driver.Instance{
		Service: driver.Service{ID: "1", Name: "web"}, Owner: "me",
	}}
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
	for b.Loop() {
		arrived.Add(streams)
		if _, err := p.Register(b.Context(), request); err != nil {
			b.Fatal(err)
		}
		arrived.Wait()
	}
	b.ReportMetric(float64(b.N*streams)/b.Elapsed().Seconds(), "deliveries/s")
	b.StopTimer()
	p.Close()
	done.Wait()
}

func perSecond(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s") }

func register(tb testing.TB, p *fake.Backend, session driver.SessionID, name, id string) uint64 {
	tb.Helper()
	r, err := p.Register(context.Background(), &driver.RegisterRequest{Session: session, Instance: driver.Instance{
		Service: driver.Service{ID: id, Name: name, Address: "10.0.0.1", Port: 80},
		Owner:   p.Label(),
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return r.Revision
}
