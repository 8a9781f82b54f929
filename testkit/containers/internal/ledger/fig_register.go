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
	Method: "One more instance on a client that has registered others before, until Register returns. " +
		"Bare: etcd puts a key on a lease that is there; ZooKeeper creates an ephemeral node; Consul registers " +
		"with the agent and waits in a blocking query until the instance is listed, because it can be found only then.",
	Measures: []Measure{{took, report.Milliseconds}},
	Phase:    measureRegister,
}

func measureRegister(ctx context.Context, p *Phase) error {
	party, err := p.Connect(ctx)
	if err != nil {
		return err
	}
	name, i := p.Fresh("register"), 0
	return p.Repeat(ctx, 200, func(ctx context.Context, warm bool) error {
		i++
		start := time.Now()
		if err := party.Register(ctx, name, strconv.Itoa(i)); err != nil {
			return err
		}
		if warm {
			p.Took(took, time.Since(start))
		}
		return nil
	})
}

var firstRegistration = Figure{
	Name:  "first-registration",
	Title: "First registration",
	Method: "The first instance on a client that has just connected and listed something: the session that it lives on " +
		"is opened, too, and nobody has used the service's name before. Bare: etcd grants a lease and puts; ZooKeeper " +
		"creates the parent and the ephemeral node; Consul registers and waits as above.",
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
