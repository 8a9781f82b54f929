package chaos

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception"
)

// serviceName is the name of the service that all processes of a run provide.
func (a *Arena) serviceName() string { return strings.TrimSuffix("api-"+a.Namespace, "-") }

// electionName is the name of the election in which all of them stand.
func (a *Arena) electionName() string { return strings.TrimSuffix("reaper-"+a.Namespace, "-") }

// Run plays a plan on an arena and returns what was seen, which [History.Check] judges. It fails only if a process cannot
// connect, or ctx ends. Calls of the arena are made on the caller's goroutine.
func Run(ctx context.Context, a *Arena, p Plan, log reception.Logger) (*History, error) {
	p = p.complete(a)
	r := &run{
		arena: a, plan: p, log: log, recorder: &recorder{began: time.Now()}, calm: make(chan struct{}),
		schedule: draw(a, p), counter: &counter{}, processes: make([]*process, p.Processes+1),
	}
	r.ctx, r.cancel = context.WithCancel(ctx)
	err := r.play()
	r.finish()
	header := Header{Backend: a.Backend, Timing: a.Timing, Plan: p, Schedule: r.schedule}
	return &History{Header: header, Events: r.all()}, err
}

// A run is a plan that is being played.
type run struct {
	*recorder

	arena    *Arena
	plan     Plan
	schedule []Step
	log      reception.Logger
	ctx      context.Context
	cancel   context.CancelFunc
	calm     chan struct{} // closed when the faults are over
	counter  *counter

	actions   []action
	processes []*process     // nil: it is down; the last one is the observer
	lives     []int          // how often each has been started
	crashed   sync.WaitGroup // clients of processes that have
	owners    sync.WaitGroup // those that register and withdraw

	mu    sync.Mutex
	terms []*lead // those of processes that are up
	won   int     // how many terms there were
}

// An action is something that the timeline does.
type action struct {
	at time.Duration
	do func() error
}

// play starts the processes, has the schedule's faults strike, and waits until everything is well again.
func (r *run) play() error {
	r.lives = make([]int, len(r.processes))
	for i := range r.processes {
		if err := r.start(i); err != nil {
			return err
		}
	}
	for _, step := range r.schedule {
		r.plot(step.At, func() error { return r.strike(step) })
	}
	for len(r.actions) > 0 {
		next := r.actions[0]
		r.actions = r.actions[1:]
		if err := pause(r.ctx, next.at-time.Since(r.began)); err != nil {
			return err
		}
		if err := next.do(); err != nil {
			return err
		}
	}
	if err := pause(r.ctx, r.plan.Length-time.Since(r.began)); err != nil {
		return err
	}
	r.note(Event{Op: opCalm}, nil)
	close(r.calm)
	r.owners.Wait()
	return r.settle()
}

// start starts a process. One that cannot connect is started again in a while: it may be the servers that are in trouble.
func (r *run) start(index int) error {
	err := r.boot(index)
	if err == nil || r.ctx.Err() != nil || time.Since(r.began) > r.plan.Length+r.plan.Settle {
		return err
	}
	r.log.Printf("chaos: %v", err)
	r.insert(time.Since(r.began)+r.arena.Timing.TTL/2, func() error { return r.start(index) })
	return nil
}

// plot puts an action on the timeline, no later than the end of the faults.
func (r *run) plot(at time.Duration, do func() error) { r.insert(min(at, r.plan.Length), do) }

// insert puts an action on the timeline.
func (r *run) insert(at time.Duration, do func() error) {
	r.actions = append(r.actions, action{at, do})
	slices.SortStableFunc(r.actions, func(a, b action) int { return cmp.Compare(a.at, b.at) })
}

// strike has a fault strike, and plots its end.
func (r *run) strike(s Step) error {
	f := r.arena.fault(s.Fault)
	e := Event{Op: opStrike, Name: f.Name, Excuse: f.Excuse, Victim: fmt.Sprintf("%s %d", f.Victims, s.Victim)}
	if f.Victims == Processes {
		p := r.processes[s.Victim]
		if p == nil {
			return nil // it is down, and has troubles enough
		}
		e.Victim = p.label
	}
	strike := r.begin(e)
	heal, err := r.inflict(f, s.Victim)
	r.end(strike, err)
	if heal == nil {
		return nil
	}
	undo := func() error {
		end := r.begin(Event{Op: opHeal, Name: f.Name, Excuse: f.Excuse, Victim: e.Victim})
		err := heal()
		r.end(end, err)
		return err
	}
	if f.Excuse == Wipe { // which may have taken its time, and what follows has to wait for all of its own
		r.insert(time.Since(r.began)+s.For, undo)
	} else {
		r.plot(s.At+s.For, undo)
	}
	return nil
}

// inflict does what a fault does, and returns what undoes it; nil for nothing.
func (r *run) inflict(f Fault, victim int) (heal func() error, err error) {
	boot := func() error { return r.start(victim) }
	switch f.Name {
	case crash:
		r.processes[victim].crash()
		return boot, nil
	case leave:
		return boot, r.processes[victim].leave()
	}
	if f.Excuse == Wipe {
		r.counter.close(r)
		f.Strike(victim)
		return func() error { r.renew(); return nil }, nil
	}
	undo := f.Strike(victim)
	if undo == nil {
		return nil, nil
	}
	return func() error { undo(); return nil }, nil
}

// renew is what the operator does after a wipe, once no term of the life before is left.
func (r *run) renew() {
	e := r.begin(Event{Op: opNewLife})
	e.Life = r.counter.newLife()
	r.end(e, nil)
}

// settle waits until everything is well again, or has had the time for it, and takes down how it stands.
func (r *run) settle() error {
	deadline := time.Now().Add(r.plan.Settle)
	for {
		late := time.Now().After(deadline)
		if late || r.agreed() {
			settled, err := r.stand()
			if late || r.agreed() { // it was so all the while
				r.end(settled, err)
				return nil
			}
		}
		if err := pause(r.ctx, r.arena.Timing.TTL/25+1); err != nil {
			return err
		}
	}
}

// stand takes down how everything stands.
func (r *run) stand() (*Event, error) {
	for _, l := range r.led() {
		l.held()
	}
	e := r.begin(Event{Op: opSettled, Process: r.observer().label})
	e.Value = r.counter.read()
	instances, err := r.observer().list()
	e.Instances = instances
	if leader, err := r.observer().client.Leader(r.ctx, r.arena.electionName()); err == nil {
		e.Token = leader.Token
	}
	return e, err
}

// agreed says whether the servers list what is wanted, all watchers show the same, and everybody sees one leader, who
// believes that it is.
func (r *run) agreed() bool {
	instances, err := r.observer().list()
	if err != nil || !slices.Equal(sorted(instances), r.wanted()) {
		return false
	}
	leader, err := r.observer().client.Leader(r.ctx, r.arena.electionName())
	if err != nil || !r.leads(leader.Token) {
		return false
	}
	for _, p := range r.processes {
		if !p.shows(instances, leader.Token) {
			return false
		}
	}
	return true
}

// wanted are the instances that their owners want to be listed.
func (r *run) wanted() []string {
	var wanted []string
	for _, p := range r.processes {
		wanted = append(wanted, p.wanted()...)
	}
	return sorted(wanted)
}

// leads says whether the term with that token is held, by somebody who can do what leaders do.
func (r *run) leads(token uint64) bool {
	return slices.ContainsFunc(r.led(), func(l *lead) bool { return l.term.Token() == token && l.term.Held() })
}

func (r *run) observer() *process { return r.processes[len(r.processes)-1] }

// finish ends all processes.
func (r *run) finish() {
	r.cancel()
	for _, p := range r.processes {
		if p != nil {
			p.tasks.Wait()
			_ = p.client.Close() // the run is over, and what is left goes with the arena
		}
	}
	r.crashed.Wait()
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func sorted(of []string) []string {
	of = slices.Clone(of)
	slices.Sort(of)
	return of
}
