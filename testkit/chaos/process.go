package chaos

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A process is one life of a process: a client, and what it does.
type process struct {
	r          *run
	index      int
	label      string
	connection *Connection
	client     reception.Client
	ctx        context.Context
	cancel     context.CancelFunc
	tasks      sync.WaitGroup

	mu     sync.Mutex
	wants  map[string]string // the version that is wanted of each instance
	seen   []string          // by its watcher
	leader uint64            // by its leader watcher
}

// boot starts a process.
func (r *run) boot(index int) error {
	r.lives[index]++
	p := &process{r: r, index: index, label: fmt.Sprintf("p%d.%d", index, r.lives[index]), wants: make(map[string]string)}
	observing := index == r.plan.Processes
	if observing {
		p.label = "observer"
	}
	connection, err := r.arena.Connect(index, r.log)
	if err != nil {
		return fmt.Errorf("%s cannot connect: %w", p.label, err)
	}
	backoff := r.arena.Timing.Backoff
	p.connection = connection
	p.client = reception.NewClient(connection.Backend,
		reception.WithLogger(r.log), reception.WithObserver(p), reception.WithBackoff(backoff/8, backoff))
	p.ctx, p.cancel = context.WithCancel(r.ctx)
	r.processes[index] = p
	p.tasks.Go(p.watch)
	p.tasks.Go(p.watchLeader)
	p.tasks.Go(p.read)
	if !observing {
		r.owners.Add(1)
		p.tasks.Go(func() { defer r.owners.Done(); p.keepInstances() })
		p.tasks.Go(p.campaign)
	}
	return nil
}

// crash ends the process without a word to anybody.
func (p *process) crash() {
	p.r.drop(func(l *lead) bool { return l.p == p })
	p.connection.Sever()
	p.end()
	p.r.crashed.Go(func() { _ = p.client.Close() }) // nothing of it gets through
}

// leave ends the process in good order.
func (p *process) leave() error {
	p.end()
	err := p.client.Close()
	p.r.drop(func(l *lead) bool { return l.p == p })
	return err
}

// end ends what the process does.
func (p *process) end() {
	p.r.processes[p.index] = nil
	p.cancel()
	p.tasks.Wait()
}

// list returns what the servers list.
func (p *process) list() ([]string, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.r.arena.Timing.TTL)
	defer cancel()
	services, err := p.client.ListServices(ctx, p.r.arena.serviceName())
	return names(services), err
}

// names says what instances and versions there are.
func names(services []*reception.Service) []string {
	list := make([]string, len(services))
	for i, s := range services {
		list[i] = s.ID + "=" + s.Attributes["version"]
	}
	return list
}

// wanted are the process's instances.
func (p *process) wanted() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var wanted []string
	for id, version := range maps.All(p.wants) { // its caller sorts them
		wanted = append(wanted, id+"="+version)
	}
	return wanted
}

// shows says whether the process's watchers show that. A state that differs in the order alone is not delivered.
func (p *process) shows(instances []string, leader uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Equal(sorted(p.seen), sorted(instances)) && p.leader == leader
}

// watch follows the instances for as long as the process lives.
func (p *process) watch() {
	states, err := p.client.NewWatcher(p.r.arena.serviceName()).Start(p.ctx)
	if err != nil {
		return // it is closed
	}
	for state := range states {
		seen := names(state.Services)
		p.r.note(Event{Op: opState, Process: p.label, Instances: seen}, state.Err)
		p.mu.Lock()
		if p.seen = seen; state.Err != nil {
			p.seen = []string{"an error"}
		}
		p.mu.Unlock()
	}
}

// watchLeader follows the election for as long as the process lives.
func (p *process) watchLeader() {
	states, err := p.client.NewLeaderWatcher(p.r.arena.electionName()).Start(p.ctx)
	if err != nil {
		return
	}
	for state := range states {
		token := uint64(0)
		if state.Leader != nil && state.Err == nil {
			token = state.Leader.Token
		}
		p.r.note(Event{Op: opLeader, Process: p.label, Token: token}, state.Err)
		p.mu.Lock()
		p.leader = token
		p.mu.Unlock()
	}
}

// read lists the instances now and then.
func (p *process) read() {
	ttl := p.r.arena.Timing.TTL
	random := stream(p.r.plan.Seed, "read "+p.label)
	for pause(p.ctx, between(random, ttl/10, ttl*7/10)) == nil {
		e := p.r.begin(Event{Op: opList, Process: p.label})
		instances, err := p.list()
		e.Instances = instances
		p.r.end(e, err)
	}
}

// Call implements [reception.Observer].
func (p *process) Call(ctx context.Context, _ driver.Call) (context.Context, func(error)) {
	return ctx, nil
}

// Event implements [reception.Observer]: it takes down when registrations are in doubt, and when they are certain again.
func (p *process) Event(event reception.Event) {
	switch event.Kind {
	case reception.EventSessionLapsed, reception.EventSessionLost:
		p.r.note(Event{Op: opDoubt, Process: p.label}, event.Err)
	case reception.EventSessionOpened:
		p.r.note(Event{Op: opOpened, Process: p.label}, nil)
	case reception.EventSessionKept:
		p.r.note(Event{Op: opCertain, Process: p.label}, nil)
	case reception.EventRestored:
		p.r.note(Event{Op: opCertain, Process: p.label, Name: strings.TrimPrefix(event.Name, p.r.arena.serviceName()+"/")}, nil)
	default:
	}
}

// instancesOfEach is how many instances a process registers at a time.
const instancesOfEach = 3

// keepInstances registers, updates and withdraws instances until there is calm. The first one stays.
func (p *process) keepInstances() {
	ttl := p.r.arena.Timing.TTL
	random := stream(p.r.plan.Seed, "instances "+p.label)
	k := 0
	for n := 1; p.busy(); n++ {
		id := fmt.Sprintf("p%d-%d", p.index, k)
		limit := between(random, ttl/4, 2*ttl)
		if _, there := p.want(id); there && k > 0 && random.IntN(2) == 0 {
			p.deregister(id, limit)
		} else {
			p.register(id, fmt.Sprintf("%s#%d", p.label, n), limit)
		}
		if _, there := p.want(fmt.Sprintf("p%d-0", p.index)); there {
			k = random.IntN(instancesOfEach)
		}
		p.rest(between(random, ttl/20, ttl*3/5))
	}
}

// busy says whether the process is to do what it does, there being no calm yet.
func (p *process) busy() bool {
	select {
	case <-p.r.calm:
		return false
	case <-p.ctx.Done():
		return false
	default:
		return true
	}
}

// rest waits, unless there is calm or the process ends.
func (p *process) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.r.calm:
	case <-p.ctx.Done():
	}
}

// want returns the version that is wanted of an instance.
func (p *process) want(id string) (version string, wanted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	version, wanted = p.wants[id]
	return version, wanted
}

// register registers or updates an instance.
func (p *process) register(id, version string, limit time.Duration) {
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	e := p.r.begin(Event{Op: opRegister, Process: p.label, Name: id, Version: version})
	err := p.client.Register(ctx, &reception.Service{
		ID: id, Name: p.r.arena.serviceName(), Address: "192.0.2.1", Port: 80, Attributes: reception.Attributes{"version": version},
	}, func(err error) { p.r.note(Event{Op: opDoubt, Process: p.label, Name: id}, err) })
	p.r.end(e, err)
	if err == nil {
		p.mu.Lock()
		p.wants[id] = version
		p.mu.Unlock()
	}
}

// deregister withdraws an instance. From the call on it is not wanted, whatever comes of it.
func (p *process) deregister(id string, limit time.Duration) {
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	version, _ := p.want(id)
	p.mu.Lock()
	delete(p.wants, id)
	p.mu.Unlock()
	e := p.r.begin(Event{Op: opDeregister, Process: p.label, Name: id, Version: version})
	p.r.end(e, p.client.Deregister(ctx, &reception.Service{ID: id, Name: p.r.arena.serviceName()}))
}
