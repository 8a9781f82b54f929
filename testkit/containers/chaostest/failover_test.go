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
)

// endings are the ways to end a lead that are measured.
var endings = []ending{
	{"crash", func(f *field, p *process, _ reception.Term) error { p.link.Cut(f.tb); return nil }},
	{"blackhole", func(f *field, p *process, _ reception.Term) error { p.link.Blackhole(f.tb); return nil }},
	{"Resign", func(f *field, _ *process, term reception.Term) error { return term.Resign(f.tb.Context()) }},
}

type ending struct {
	name string
	end  func(*field, *process, reception.Term) error
}

// A failover is one lead that has ended and the next one.
type failover struct {
	took time.Duration // from the fault, or the call of Resign, to the next leader
	gap  time.Duration // from the end of the term, as a callback of its holder hears of it
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
			next, err := f.join(0)
			if err != nil {
				return err
			}
			for i := lane; i < *trials; i += width {
				o, err := f.trial(t.Context(), e, next)
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
func (f *field) join(number int) (*member, error) {
	p, err := f.open(number, reception.NewNilLogger())
	if err != nil {
		return nil, err
	}
	return &member{reception.NewClient(p, reception.WithBackoff(f.timing.Backoff/8, f.timing.Backoff)), p}, nil
}

// trial has a holder lead, ends its lead, and takes the time until the next one leads.
func (f *field) trial(ctx context.Context, e ending, next *member) (failover, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*f.timing.TTL)
	defer cancel()
	holder, err := f.join(0)
	if err != nil {
		return failover{}, err
	}
	defer func() { go func() { _ = holder.Close() }() }() // it may be cut off, and nobody has to wait for it
	const election = "job"
	old, err := holder.Campaign(ctx, election, &reception.Service{Name: "old", ID: "1"})
	if err != nil {
		return failover{}, err
	}
	type win struct {
		term  reception.Term
		at    time.Time
		early bool // the old term was held when this one had begun
		err   error
	}
	won := make(chan win, 1)
	go func() {
		term, err := next.Campaign(ctx, election, &reception.Service{Name: "new", ID: "1"})
		// A term that is not held now never will be again: asking the old one is exact, where comparing two moments, noted on
		// two goroutines, is not.
		won <- win{term, time.Now(), old.Held(), err}
	}()
	ended := make(chan time.Time, 1)
	context.AfterFunc(old.Context(), func() { ended <- time.Now() })
	time.Sleep(f.timing.TTL/4 + rand.N(f.timing.TTL/2)) // the phase of the renewal at which it ends
	began := time.Now()
	if err := e.end(f, holder.process, old); err != nil {
		return failover{}, err
	}
	w := <-won
	switch {
	case w.err != nil:
		return failover{}, fmt.Errorf("nobody succeeds: %w", w.err)
	case w.early:
		return failover{}, fmt.Errorf("two leaders: term %d has begun while %d is held", w.term.Token(), old.Token())
	case w.term.Token() <= old.Token():
		return failover{}, fmt.Errorf("token %d follows %d", w.term.Token(), old.Token())
	}
	return failover{took: w.at.Sub(began), gap: w.at.Sub(<-ended)}, w.term.Resign(ctx)
}
