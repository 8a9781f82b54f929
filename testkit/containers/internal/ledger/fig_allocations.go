package ledger

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

var allocations = Figure{
	Name:  "allocations",
	Title: "Allocations for each operation",
	Method: "Objects that the whole process allocates, the vendor's client and this program's own few included: " +
		"for a registration, a list that asks the servers of 10 and of 1,000 instances, and a change on its " +
		"way from one client to another, with its removal. The bare clients do the same as above.",
	Measures: []Measure{
		{"register", report.Count}, {"list of 10", report.Count}, {"list of 1,000", report.Count}, {"change", report.Count},
	},
	Rounds: 3,
	Phase:  measureAllocations,
}

func measureAllocations(ctx context.Context, p *Phase) error {
	party, err := p.Connect(ctx)
	if err != nil {
		return err
	}
	name, i := p.Fresh("allocations"), 0
	if err := p.allocates(ctx, "register", 100, func(ctx context.Context) error {
		i++
		return party.Register(ctx, name, strconv.Itoa(i))
	}); err != nil {
		return err
	}
	for _, list := range []struct {
		measure string
		n, runs int
	}{{"list of 10", 10, 100}, {"list of 1,000", 1_000, 10}} {
		name, err := p.stand.filled(ctx, list.n)
		if err != nil {
			return err
		}
		if err := p.allocates(ctx, list.measure, list.runs, func(ctx context.Context) error {
			_, err := party.List(ctx, name)
			return err
		}); err != nil {
			return err
		}
	}
	return p.allocatesOfChanges(ctx, party)
}

// allocates counts what an operation allocates, after it has run a few times.
func (p *Phase) allocates(ctx context.Context, measure string, runs int, do func(context.Context) error) error {
	if p.Quick {
		runs = 1
	}
	for range warmUps {
		if err := do(ctx); err != nil {
			return err
		}
	}
	before := allocated()
	for range runs {
		if err := do(ctx); err != nil {
			return err
		}
	}
	p.Record(measure, float64(allocated()-before)/float64(runs))
	return nil
}

// allocatesOfChanges counts what changes allocate.
func (p *Phase) allocatesOfChanges(ctx context.Context, writer Party) error {
	reader, err := p.Connect(ctx)
	if err != nil {
		return err
	}
	p.N = 10
	before := allocated()
	return p.changes(ctx, writer, reader, 50, func(_, _ time.Time, warm bool) {
		now := allocated()
		if warm {
			p.Record("change", float64(now-before))
		}
		before = now
	})
}

// allocated returns how many objects the process has allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
