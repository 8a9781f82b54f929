// Package demo shows the SDK at work on a cluster that lives inside the command.
package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

// Run shows it, on out. A fast one does not wait for people to read along.
func Run(ctx context.Context, out *terminal.Output, fast bool) error {
	pace := pace{ttl: 2 * time.Second, pause: 700 * time.Millisecond}
	if fast {
		pace.ttl, pace.pause = 300*time.Millisecond, 0
	}
	return newDemo(out, pace).run(ctx)
}

// A pace is how quickly the demo goes.
type pace struct {
	ttl   time.Duration // how long the cluster keeps a session that is not renewed
	pause time.Duration // for people to read
}

// demo is one showing.
type demo struct {
	pace      pace
	out       *transcript
	cluster   *fake.Cluster
	processes []*process
	leads     chan *lead // terms, as they begin
	leader    *lead      // the first of them
}

// A process is what would be a program of its own: one client, one instance, one candidate.
type process struct {
	name    string
	backend *fake.Backend
	client  reception.Client
	service *reception.Service
}

// A lead is a term and who holds it.
type lead struct {
	by    *process
	term  reception.Term
	begun time.Time
	ended chan time.Time // receives when the term ended
}

func newDemo(out *terminal.Output, p pace) *demo {
	return &demo{
		pace:    p,
		out:     newTranscript(out),
		cluster: fake.NewCluster(fake.WithTTL(p.ttl)),
		leads:   make(chan *lead, 8),
	}
}

// run shows everything, in order.
func (d *demo) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.out.say("cluster", "in memory; it drops a session that is not renewed for %v", d.pace.ttl)
	watching, err := d.watch(ctx)
	if err != nil {
		return err
	}
	defer func() {
		cancel()
		<-watching
		for _, p := range d.processes {
			err = errors.Join(err, p.client.Close()) // again, unless the demo was interrupted
		}
	}()
	for _, scene := range []func(context.Context) error{d.register, d.elect, d.failOver, d.recover, d.deregister, d.close} {
		if err := scene(ctx); err != nil {
			return err
		}
		d.out.blank()
	}
	d.out.say("cluster", "nothing is left; that was the demo")
	return nil
}

// watch prints every change of the service, until ctx ends.
func (d *demo) watch(ctx context.Context) (done chan struct{}, err error) {
	client := reception.NewClient(d.cluster.Backend())
	states, err := client.NewWatcher("api").Start(ctx)
	if err != nil {
		return nil, err
	}
	done = make(chan struct{})
	go func() {
		defer close(done)
		for state := range states {
			d.out.say("watcher", "api: %s", describe(state))
		}
		if err := client.Close(); err != nil {
			d.out.say("watcher", "close: %v", err)
		}
	}()
	return done, nil
}

// register starts the processes, each with an instance.
func (d *demo) register(ctx context.Context) error {
	for i := 1; i <= 3; i++ {
		if err := d.rest(ctx); err != nil {
			return err
		}
		backend := d.cluster.Backend()
		p := &process{
			name: fmt.Sprintf("p%d", i), backend: backend, client: reception.NewClient(backend),
			service: &reception.Service{
				Name: "api", ID: fmt.Sprintf("p%d", i), Address: fmt.Sprintf("10.0.0.%d", i), Port: 8080,
				Attributes: reception.Attributes{"zone": string(rune('a' + i - 1))},
			},
		}
		d.processes = append(d.processes, p)
		onDisconnect := func(err error) { d.out.say(p.name, "told by the SDK: %v", err) }
		if err := p.client.Register(ctx, p.service, onDisconnect); err != nil {
			return err
		}
		d.out.say(p.name, "registered api/%s at %s:%d", p.service.ID, p.service.Address, p.service.Port)
	}
	return d.rest(ctx)
}

// elect has the first process win the election and the others wait in line.
func (d *demo) elect(ctx context.Context) (err error) {
	for i, p := range d.processes {
		d.out.say(p.name, "stands for reaper")
		go d.campaign(ctx, p)
		if i == 0 {
			if d.leader, err = receive(ctx, d.leads); err != nil {
				return err
			}
		}
		if err := d.rest(ctx); err != nil {
			return err
		}
	}
	return nil
}

// campaign stands for election again and again, which is what a process does that wants the job done by somebody.
func (d *demo) campaign(ctx context.Context, p *process) {
	for {
		term, err := p.client.Campaign(ctx, "reaper", p.service)
		if err != nil {
			return // the demo is over
		}
		l := &lead{by: p, term: term, begun: time.Now(), ended: make(chan time.Time, 1)}
		d.out.say(p.name, "LEADS reaper, with token %d", term.Token())
		d.leads <- l
		<-term.Context().Done()
		l.ended <- time.Now()
		d.out.say(p.name, "leads no more: %v", context.Cause(term.Context()))
	}
}

// failOver cuts the leader off and compares the end of its term with the beginning of the next.
func (d *demo) failOver(ctx context.Context) error {
	first := d.leader
	d.out.say("network", "%s is cut off from the cluster", first.by.name)
	first.by.backend.Cut()
	ended, err := receive(ctx, first.ended)
	if err != nil {
		return err
	}
	second, err := receive(ctx, d.leads)
	if err != nil {
		return err
	}
	gap := second.begun.Sub(ended)
	d.out.say("result", "%s's term ended at   %s", first.by.name, d.out.clock(ended))
	d.out.say("result", "%s's term began at   %s, %v later", second.by.name, d.out.clock(second.begun), gap.Round(time.Millisecond))
	d.out.say("result", "tokens: %d, then %d", first.term.Token(), second.term.Token())
	if gap <= 0 || second.term.Token() <= first.term.Token() {
		return fmt.Errorf("two leaders at once: the gap is %v, tokens %d and %d", gap, first.term.Token(), second.term.Token())
	}
	return d.rest(ctx)
}

// recover heals the network and waits until everybody is listed again.
func (d *demo) recover(ctx context.Context) error {
	for _, p := range d.processes {
		p.backend.Heal()
	}
	d.out.say("network", "healed; nobody registers anything again by hand")
	observer := d.processes[1].client
	for state := range reception.Watch(ctx, observer, "api") {
		if state.Err == nil && len(state.Services) == len(d.processes) {
			break
		}
	}
	d.out.say("result", "all three are listed")
	return d.rest(ctx)
}

// deregister takes one instance out.
func (d *demo) deregister(ctx context.Context) error {
	last := d.processes[len(d.processes)-1]
	if err := last.client.Deregister(ctx, last.service); err != nil {
		return err
	}
	d.out.say(last.name, "deregistered api/%s", last.service.ID)
	return d.rest(ctx)
}

// close closes all clients, which withdraws what they still have.
func (d *demo) close(ctx context.Context) error {
	for _, p := range d.processes {
		if err := p.client.Close(); err != nil {
			return err
		}
		d.out.say(p.name, "closed")
	}
	return ctx.Err()
}

// rest gives people time to read.
func (d *demo) rest(ctx context.Context) error {
	select {
	case <-time.After(d.pace.pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive waits for a value from ch until ctx ends.
func receive[T any](ctx context.Context, ch <-chan T) (T, error) {
	select {
	case v := <-ch:
		return v, nil
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
