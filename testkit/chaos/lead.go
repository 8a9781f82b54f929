package chaos

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/fence"
)

// A lead is a term of a process.
type lead struct {
	p    *process
	term reception.Term
	n    int  // which one it is in the run
	dead bool // it is over, or the process has crashed or left and believes nothing; guarded by run.mu
}

// campaign campaigns, leads and campaigns again for as long as the process lives.
func (p *process) campaign() {
	ttl := p.r.arena.Timing.TTL
	random := stream(p.r.plan.Seed, "campaign "+p.label)
	for n := 0; ; n++ {
		if pause(p.ctx, between(random, 0, ttl/5)) != nil {
			return
		}
		l := p.stand(between(random, ttl/2, 5*ttl))
		if l == nil {
			continue
		}
		p.r.own(l)
		p.r.look(l)
		l.lead(stream(p.r.plan.Seed, fmt.Sprintf("lead %s %d", p.label, n)))
	}
}

// stand campaigns, until that limit while there are faults.
func (p *process) stand(limit time.Duration) *lead {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	if p.busy() {
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	election := p.r.arena.electionName()
	e := p.r.begin(Event{Op: opCampaign, Process: p.label})
	term, err := p.client.Campaign(ctx, election, &reception.Service{Name: p.r.arena.serviceName(), ID: p.label})
	if err != nil {
		p.r.end(e, err)
		return nil
	}
	l := &lead{p: p, term: term, n: p.r.nextTerm()}
	e.Token, e.Term = term.Token(), l.n
	p.r.end(e, nil)
	return l
}

// event is one of this term.
func (l *lead) event(op Op) Event {
	return Event{Op: op, Process: l.p.label, Term: l.n, Token: l.term.Token()}
}

// nextTerm numbers the terms of a run.
func (r *run) nextTerm() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.won++
	return r.won
}

// own takes a term in.
func (r *run) own(l *lead) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.terms = append(r.terms, l)
}

// drop forgets terms that are over, or whose process is.
func (r *run) drop(over func(*lead) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.terms {
		l.dead = l.dead || over(l)
	}
	r.terms = slices.DeleteFunc(r.terms, func(l *lead) bool { return l.dead })
}

// led are the terms of those that are up.
func (r *run) led() []*lead {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.terms)
}

// look asks the new term whether it is held, and then everybody else's: at this moment, none may be.
func (r *run) look(mine *lead) {
	mine.held()
	for _, l := range r.led() {
		if l != mine {
			l.held()
		}
	}
}

// held asks whether the term is held. It was, if it is, when the event began: a term that has ended is never held again.
func (l *lead) held() bool {
	r := l.p.r
	r.mu.Lock()
	if l.dead {
		r.mu.Unlock()
		return false
	}
	e := r.begin(l.event(opHeld))
	r.mu.Unlock()
	e.OK = l.term.Held()
	r.end(e, nil)
	if !e.OK {
		r.drop(func(other *lead) bool { return other == l })
	}
	return e.OK
}

// lead does what a leader does: it claims the counter, and adds to it for as long as it leads. It gives up the lead when
// its tenure is over, unless there is calm.
func (l *lead) lead(random *rand.Rand) {
	p, r := l.p, l.p.r
	ttl := r.arena.Timing.TTL
	tired := time.NewTimer(between(random, ttl/4, 5*ttl))
	defer tired.Stop()
	stalls := random.IntN(4) == 0
	over := context.AfterFunc(l.term.Context(), func() {
		r.note(l.event(opOver), context.Cause(l.term.Context()))
	})
	defer func() {
		if p.ctx.Err() != nil {
			over() // the process has ended before its term
		}
	}()
	life, claimed := l.claim()
	for l.held() {
		switch {
		case !claimed:
			life, claimed = l.claim()
		case stalls && random.IntN(6) == 0:
			// It has seen that it leads, and acts on that later than it should.
			value := r.counter.read()
			if pause(p.ctx, between(random, ttl/4, ttl*5/2)) != nil {
				return
			}
			l.add(life, value+1)
		default:
			l.add(life, r.counter.read()+1)
		}
		select {
		case <-l.term.Context().Done():
		case <-time.After(between(random, r.plan.Beat/10, r.plan.Beat)):
		case <-tired.C:
			if p.busy() && over() {
				l.resign(random.IntN(2) == 0)
				return
			}
		case <-p.ctx.Done():
			return
		}
	}
	select {
	case <-l.term.Context().Done():
	case <-p.ctx.Done(): // it has crashed, and nobody is there to see how the term ends
	}
}

// resign gives up the lead. One in a hurry does not wait for the servers.
func (l *lead) resign(hurry bool) {
	ctx, cancel := context.WithTimeout(l.p.ctx, l.p.r.arena.Timing.TTL)
	defer cancel()
	if hurry {
		cancel()
	}
	e := l.p.r.begin(l.event(opResign))
	l.p.r.end(e, l.term.Resign(ctx))
}

// claim is a leader's first act at the counter.
func (l *lead) claim() (life int, claimed bool) {
	e := l.p.r.begin(l.event(opClaim))
	life, value, err := l.p.r.counter.claim(l.term.Token())
	e.Life, e.Value, e.OK = life, value, err == nil
	l.p.r.end(e, err)
	return life, e.OK
}

// add makes the counter be value.
func (l *lead) add(life, value int) {
	e := l.p.r.begin(l.event(opAdd))
	e.Life, e.Value = life, value
	err := l.p.r.counter.write(l.term.Token(), life, value)
	e.OK = err == nil
	l.p.r.end(e, err)
}

// A counter is what leaders write to, behind a fence. Who adds reads it first, and writes what it has made of that: two
// who do so at a time lose an addition.
type counter struct {
	guard fence.Guard

	mu    sync.Mutex
	value int
	life  int // of the backend's data, as far as the operator has said
}

func (c *counter) read() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value
}

// claim has the counter refuse earlier terms from now on, and reads it.
func (c *counter) claim(token uint64) (life, value int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life, c.value, c.guard.Admit(token)
}

// write stores a value in the name of a term that has claimed the counter in that life.
func (c *counter) write(token uint64, life, value int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if life != c.life {
		return fence.ErrStale
	}
	return c.guard.Do(token, func() error {
		c.value = value
		return nil
	})
}

// close has the counter refuse every term, as it has to between the loss of the backend's data and the reset: a term
// of the new life may have the very token of one of the old.
func (c *counter) close(r *run) {
	e := r.begin(Event{Op: opClaim, Process: "operator", Token: math.MaxUint64, OK: true})
	var err error
	e.Life, e.Value, err = c.claim(e.Token)
	r.end(e, err)
}

// newLife begins a new life, in which tokens may be small again, and refuses who has claimed the counter before.
func (c *counter) newLife() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.life++
	c.guard.Reset()
	return c.life
}
