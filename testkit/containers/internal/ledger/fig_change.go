package ledger

import (
	"context"
	"strconv"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

const (
	delivered = "delivery"
	endToEnd  = "from Register on"
)

var change = Figure{
	Name:  "change",
	Title: "From a change to its delivery",
	Method: "A client watches N instances when another one appears, until the state that has it arrives. " +
		"Delivery: the vendor's bare client writes it for both parties, which watch the same records, so that " +
		"the watches alone are compared. From Register on: a client of the watching party's own kind registers it, " +
		"and the time begins with the call. Bare: etcd applies the events of one watch to a map; ZooKeeper sets " +
		"a watch on the children and reads the new ones; Consul asks in a blocking query. " +
		"The instance is deregistered again, which is not measured.",
	Measures: []Measure{{delivered, report.Milliseconds}, {endToEnd, report.Milliseconds}},
	Sizes:    instances, SizesOf: "instances",
	Phase: measureChange,
}

func measureChange(ctx context.Context, p *Phase) error {
	for _, w := range []struct {
		measure string
		connect func(context.Context) (Party, error)
	}{{delivered, p.Bystander}, {endToEnd, p.Connect}} {
		writer, err := w.connect(ctx)
		if err != nil {
			return err
		}
		reader, err := p.Connect(ctx)
		if err != nil {
			return err
		}
		if err := p.changes(ctx, writer, reader, 200, func(start, seen time.Time, warm bool) {
			if warm {
				p.Took(w.measure, seen.Sub(start))
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// changes has writer add and remove an instance again and again, and reader see that. It records when each instance was
// added and when that was seen, also while the phase is not warm yet.
func (p *Phase) changes(
	ctx context.Context, writer, reader Party, most int, record func(start, seen time.Time, warm bool),
) error {
	name, err := p.Filled(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch, err := reader.Watch(ctx, name)
	if err != nil {
		return err
	}
	o := observe(ctx, watch, 16)
	if _, _, err := o.await(p.N); err != nil {
		return err
	}
	i := 0
	return p.Repeat(ctx, most, func(ctx context.Context, warm bool) error {
		i++
		id := "change-" + strconv.Itoa(i)
		start := time.Now()
		if err := writer.Register(ctx, name, id); err != nil {
			return err
		}
		seen, _, err := o.await(p.N + 1)
		if err != nil {
			return err
		}
		record(start, seen, warm)
		if err := writer.Deregister(ctx, name, id); err != nil {
			return err
		}
		_, _, err = o.await(p.N)
		return err
	})
}
