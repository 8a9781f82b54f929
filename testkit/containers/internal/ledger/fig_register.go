package ledger

import (
	"context"
	"strconv"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

// took is the measure of figures that are about time alone.
const took = "time"

var register = Figure{
	Name:  "register",
	Title: "Register",
	Method: "One more instance on a client that has registered others before, until Register returns: alone, with " +
		"a pause after each, and one right after the other, when what the SDK does in the background to look " +
		"after the one before competes with the next. Bare: etcd puts a key on a lease that is there; " +
		"ZooKeeper creates an ephemeral node; Consul registers with the agent and waits in a blocking query " +
		"until the instance is listed, because only then it can be found.",
	Measures: []Measure{{"alone", report.Milliseconds}, {"in a row", report.Milliseconds}},
	Phase:    measureRegister,
}

// rest is long enough for everything that a registration sets off.
const rest = 20 * time.Millisecond

func measureRegister(ctx context.Context, p *Phase) error {
	party, err := p.Connect(ctx)
	if err != nil {
		return err
	}
	name, i := p.Fresh("register"), 0
	timed := func(ctx context.Context) (time.Duration, error) {
		i++
		start := time.Now()
		err := party.Register(ctx, name, strconv.Itoa(i))
		return time.Since(start), err
	}
	if err := p.Repeat(ctx, 30, func(ctx context.Context, warm bool) error {
		time.Sleep(rest)
		d, err := timed(ctx)
		if warm && err == nil {
			p.Took("alone", d)
		}
		return err
	}); err != nil {
		return err
	}
	return p.Repeat(ctx, 200, func(ctx context.Context, warm bool) error {
		d, err := timed(ctx)
		if warm && err == nil {
			p.Took("in a row", d)
		}
		return err
	})
}

var firstRegistration = Figure{
	Name:  "first-registration",
	Title: "First registration",
	Method: "The first instance on a client that has just connected and listed something: the session that it " +
		"lives on is opened, too, and nobody has used the service's name before. Bare: etcd grants a lease " +
		"and puts; ZooKeeper creates the parent and the ephemeral node; Consul registers and waits as above.",
	Measures: []Measure{{took, report.Milliseconds}},
	Phase:    measureFirst,
}

func measureFirst(ctx context.Context, p *Phase) error {
	way := Way{Addr: p.stand.server.Addr(), TTL: defaultTTL}
	return p.Repeat(ctx, 20, func(ctx context.Context, warm bool) error {
		party, err := p.dial(ctx, p.sdk, way)
		if err != nil {
			return err
		}
		defer party.Close() //nolint:errcheck // what it costs to leave is not this figure's subject
		name := p.Fresh("first")
		if _, err := party.List(ctx, name); err != nil {
			return err
		}
		start := time.Now()
		if err := party.Register(ctx, name, "1"); err != nil {
			return err
		}
		if warm {
			p.Took(took, time.Since(start))
		}
		return nil
	})
}
