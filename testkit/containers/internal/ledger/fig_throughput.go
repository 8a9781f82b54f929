package ledger

import (
	"context"
	"runtime"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

var throughput = Figure{
	Name:  "throughput",
	Title: "Operations a second of the fake",
	Method: "The backend in memory itself, without a client, on one core: an instance written again by its owner, " +
		"a list of one instance, and the renewal of a session.",
	Measures: []Measure{{"updates", report.PerSecond}, {"lists", report.PerSecond}, {"renewals", report.PerSecond}},
	On:       func(b Backend) bool { return !served(b) },
	Alone:    true,
	Phase:    measureThroughput,
}

func measureThroughput(ctx context.Context, p *Phase) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	backend := fake.NewCluster().Backend()
	p.Defer(backend.Close)
	opened, err := backend.OpenSession(ctx, &driver.OpenSessionRequest{TTL: time.Hour})
	if err != nil {
		return err
	}
	stored := &driver.RegisterRequest{Session: opened.Session, Instance: driver.Instance{
		Service: driver.Service{Name: "api", ID: "1", Address: "192.0.2.1", Port: 8080}, Owner: "ledger", Generation: 1,
	}}
	for _, operation := range []struct {
		measure string
		do      func() error
	}{
		{"updates", func() error { _, err := backend.Register(ctx, stored); return err }},
		{"lists", func() error {
			_, err := backend.ListServices(ctx, &driver.ListServicesRequest{Name: "api"})
			return err
		}},
		{"renewals", func() error {
			_, err := backend.RenewSession(ctx, &driver.RenewSessionRequest{Session: opened.Session})
			return err
		}},
	} {
		count := 500_000
		if p.Quick {
			count = 1_000
		}
		start := time.Now()
		for range count {
			if err := operation.do(); err != nil {
				return err
			}
		}
		p.Record(operation.measure, float64(count)/time.Since(start).Seconds())
	}
	return nil
}
