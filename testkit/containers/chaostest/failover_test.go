package chaostest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/chaos"
	"github.com/go-reception/sdk/testkit/containers"
)

// endings are the ways to end a lead that are measured.
var endings = []ending{
	{"crash", func(f *field, p *process, _ reception.Term) (func(), error) { return p.link.Cut(f.tb), nil }},
	{"blackhole", func(f *field, p *process, _ reception.Term) (func(), error) { return p.link.Blackhole(f.tb), nil }},
	{"Resign", func(f *field, _ *process, term reception.Term) (func(), error) {
		return func() {}, term.Resign(f.tb.Context())
	}},
}

type ending struct {
	name string
	// end ends the lead. What it returns heals the connection.
	end func(*field, *process, reception.Term) (heal func(), err error)
}

// A failover is one lead that has ended and the next one.
type failover struct {
	took time.Duration // from the fault, or the call of Resign, to the next leader
	gap  time.Duration // from the end of the term, at the latest, to the beginning of the next one, at the earliest
}

// TestFailover measures how long it takes until there is another leader, after a crash, silence, and Resign.
func TestFailover(t *testing.T) {
	for _, g := range grounds {
		t.Run(g.name, func(t *testing.T) {
			site := g.begin(t)
			var measured []*measurement
			for _, ending := range endings {
				m := &measurement{name: ending.name}
				m.measure(t, site, ending)
				t.Logf("%s after %s: %v", g.name, ending.name, m)
				measured = append(measured, m)
			}
			if *report != "" {
				writeFailovers(t, g, measured)
			}
		})
	}
}

// A measurement is of one ending.
type measurement struct {
	name string

	mu    sync.Mutex
	took  []time.Duration
	least time.Duration // the smallest gap
}

// String says it in a line.
func (m *measurement) String() string {
	return fmt.Sprintf("%d trials: p50 %v, p99 %v, smallest gap %v", len(m.took), chaos.Percentile(m.took, 50),
		chaos.Percentile(m.took, 99), m.least.Round(time.Millisecond))
}

// measure has leads end, in elections side by side.
func (m *measurement) measure(t *testing.T, s *site, e ending) {
	t.Helper()
	const width = 10
	var group errgroup.Group
	for lane := range width {
		group.Go(func() error {
			f := s.field(t)
			link := f.NewLink(t) // of one holder after the other
			next, err := f.join(f.NewLink(t))
			if err != nil {
				return err
			}
			for i := lane; i < *trials; i += width {
				o, err := f.trial(t.Context(), e, link, next)
				if err != nil {
					return errors.Join(fmt.Errorf("trial %d: %w", i, err), next.Close())
				}
				m.add(o)
			}
			return next.Close()
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

func (m *measurement) add(f failover) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.took) == 0 || f.gap < m.least {
		m.least = f.gap
	}
	m.took = append(m.took, f.took)
}

// member is a client and its connection.
type member struct {
	reception.Client
	process *process
}

// join connects a member of the field.
func (f *field) join(link *containers.Link) (*member, error) {
	p, err := f.openOver(link, 0, reception.NewNilLogger())
	if err != nil {
		return nil, err
	}
	return &member{reception.NewClient(p, reception.WithBackoff(f.timing.Backoff/8, f.timing.Backoff)), p}, nil
}

// trial has a holder lead, ends its lead, and takes the time until the next one leads.
func (f *field) trial(ctx context.Context, e ending, link *containers.Link, next *member) (failover, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*f.timing.TTL)
	defer cancel()
	holder, err := f.join(link)
	if err != nil {
		return failover{}, err
	}
	defer func() { go func() { _ = holder.Close() }() }() // nobody has to wait for it
	old, err := holder.Campaign(ctx, job, &reception.Service{Name: "old", ID: "1"})
	if err != nil {
		return failover{}, err
	}
	ended := make(chan time.Time, 1)
	context.AfterFunc(old.Context(), func() { ended <- time.Now() })
	won := next.succeed(ctx, old)
	time.Sleep(f.timing.TTL/4 + rand.N(f.timing.TTL/2)) // the phase of the renewal at which it ends
	began := time.Now()
	heal, err := e.end(f, holder.process, old)
	if err != nil {
		return failover{}, err
	}
	w := <-won
	heal() // a connection in silence stays one, and a server takes so many of a client and no more
	if w.err != nil {
		return failover{}, fmt.Errorf("nobody succeeds: %w", w.err)
	}
	gap, err := next.after(old, w.term, holder.process.bounds.ended(<-ended))
	return failover{took: w.at.Sub(began), gap: gap}, errors.Join(err, w.term.Resign(ctx))
}

// job is the election in which they stand.
const job = "job"

// A win is what came of a campaign, and when.
type win struct {
	term reception.Term
	at   time.Time
	err  error
}

// succeed has the member campaign for the term that follows old.
func (m *member) succeed(ctx context.Context, old reception.Term) <-chan win {
	m.process.bounds.succeed(old)
	won := make(chan win, 1)
	go func() {
		term, err := m.Campaign(ctx, job, &reception.Service{Name: "new", ID: "1"})
		won <- win{term, time.Now(), err}
	}()
	return won
}

// after returns how long after the end of an old term the member's own has begun, and an error unless it has begun after
// that. Both is exact, however late goroutines run. The old term is asked whether it is held at the very moment at which
// the servers' first confirmation of the new one is at hand, and the new holder does not know of it yet: what is not held
// then never is again. By the clock, that moment is compared with the latest at which the old term can have ended: the
// horizon of its last confirmation, the sending of its withdrawal, or its context, whichever came first. So the true gap
// is no smaller than the one that is returned.
func (m *member) after(old, term reception.Term, ended time.Time) (gap time.Duration, err error) {
	begun, early := m.process.bounds.successor()
	gap = begun.Sub(ended)
	switch {
	case term.Token() <= old.Token():
		return gap, fmt.Errorf("token %d follows %d", term.Token(), old.Token())
	case begun.IsZero():
		return gap, fmt.Errorf("term %d has begun, and the servers have not confirmed it", term.Token())
	case early:
		return gap, fmt.Errorf("two leaders: term %d is confirmed while %d is held", term.Token(), old.Token())
	case gap <= 0:
		return gap, fmt.Errorf("two leaders: term %d is confirmed %v before the end of %d", term.Token(), -gap, old.Token())
	}
	return gap, nil
}
