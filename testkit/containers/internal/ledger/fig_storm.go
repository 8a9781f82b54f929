package ledger

import (
	"context"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

var storm = Figure{
	Name:  "storm",
	Title: "A thousand registrations after the loss of all data",
	Method: "A client keeps up 1,000 registrations, with a time to live of 3 s, when the proxy before it is " +
		"pointed to another server, which has never heard of it: from then until all of them are listed " +
		"there. Bare: a new client that knows at once, and registers 1,000 instances, 16 at a time; so it is " +
		"the lower bound, and the rest is the time until the SDK has noticed and its retries.",
	Measures: []Measure{{took, report.Milliseconds}},
	On:       served,
	Phase:    measureStorm,
}

func measureStorm(ctx context.Context, p *Phase) error {
	total, name := 1_000, p.Fresh("storm")
	if p.Quick {
		total = 20
	}
	other, err := p.stand.other(ctx)
	if err != nil {
		return err
	}
	there := Way{Addr: other.Addr(), TTL: defaultTTL}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reader, err := p.dial(ctx, false, there)
	if err != nil {
		return err
	}
	p.Defer(reader.Close)
	watch, err := reader.Watch(ctx, name)
	if err != nil {
		return err
	}
	o := observe(ctx, watch, 1024)
	if _, _, err := o.await(0); err != nil {
		return err
	}
	var start time.Time
	if p.sdk {
		start, err = p.wiped(ctx, name, total, other)
	} else {
		start, err = p.again(ctx, name, total, there)
	}
	if err != nil {
		return err
	}
	complete, _, err := o.await(total)
	if err == nil {
		p.Took(took, complete.Sub(start))
	}
	return err
}

// wiped has the SDK keep up registrations and takes their server away. It returns when that was.
func (p *Phase) wiped(ctx context.Context, name string, total int, other Server) (start time.Time, err error) {
	party, proxy, err := p.Proxied(ctx, 3*time.Second)
	if err != nil {
		return start, err
	}
	if err := registerAll(ctx, party, name, total); err != nil {
		return start, err
	}
	start = time.Now()
	proxy.Point(other.Addr())
	return start, nil
}

// again has the bare client register everything. It returns when it began.
func (p *Phase) again(ctx context.Context, name string, total int, way Way) (start time.Time, err error) {
	start = time.Now()
	party, err := p.connect(ctx, p.sdk, way)
	if err != nil {
		return start, err
	}
	return start, registerAll(ctx, party, name, total)
}
