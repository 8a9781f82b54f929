package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"
)

// bareConsul is a party with the vendor's client.
type bareConsul struct {
	client *api.Client
	ttl    time.Duration
	life   context.Context
	end    context.CancelFunc
	tasks  sync.WaitGroup

	mu     sync.Mutex
	checks map[string]bool // by ID, those whose TTL is to be updated
}

// openConsul makes the vendor's client, with connections of its own.
func openConsul(addr string) (*api.Client, error) {
	config := api.DefaultConfig()
	config.Address = addr
	config.Transport.MaxIdleConnsPerHost = 16 // as many as register at a time
	return api.NewClient(config)
}

func connectConsul(ctx context.Context, way Way) (*bareConsul, error) {
	client, err := openConsul(way.Addr)
	if err != nil {
		return nil, err
	}
	p := &bareConsul{client: client, ttl: way.TTL, checks: map[string]bool{}}
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	p.tasks.Go(p.beat)
	_, err = client.Status().LeaderWithQueryOptions(query(ctx)) // it does not connect before it is used
	return p, err
}

// query returns options bound to a context.
func query(ctx context.Context) *api.QueryOptions { return (&api.QueryOptions{}).WithContext(ctx) }

// beat updates all TTL checks three times in a TTL.
func (p *bareConsul) beat() {
	ticker := time.NewTicker(p.ttl / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-p.life.Done():
			return
		}
		p.mu.Lock()
		checks := make([]string, 0, len(p.checks))
		for id := range p.checks {
			checks = append(checks, id)
		}
		p.mu.Unlock()
		for _, id := range checks {
			// One that fails is repeated in time, like every other one.
			_ = p.client.Agent().UpdateTTLOpts(id, "", api.HealthPassing, query(p.life))
		}
	}
}

// announce registers a service with a TTL check at the agent.
func (p *bareConsul) announce(ctx context.Context, name, id string) error {
	instance := Instance(name, id)
	err := p.client.Agent().ServiceRegisterOpts(&api.AgentServiceRegistration{
		ID: consulID(name, id), Name: name, Address: instance.Address, Port: instance.Port, Meta: consulMeta(name, id),
		Check: &api.AgentServiceCheck{
			CheckID: consulID(name, id), TTL: p.ttl.String(), Status: api.HealthPassing, DeregisterCriticalServiceAfter: "1m",
		},
	}, api.ServiceRegisterOpts{}.WithContext(ctx))
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks[consulID(name, id)] = true
	return nil
}

func (p *bareConsul) Register(ctx context.Context, name, id string) error {
	if err := p.announce(ctx, name, id); err != nil {
		return err
	}
	own := query(ctx)
	own.Filter = fmt.Sprintf("Service.ID == %q", consulID(name, id))
	for {
		found, meta, err := p.client.Health().Service(name, "", true, own)
		if err != nil || len(found) > 0 {
			return err
		}
		own.WaitIndex = meta.LastIndex
	}
}

func (p *bareConsul) Deregister(ctx context.Context, name, id string) error {
	p.mu.Lock()
	delete(p.checks, consulID(name, id))
	p.mu.Unlock()
	return p.client.Agent().ServiceDeregisterOpts(consulID(name, id), query(ctx))
}

func (p *bareConsul) List(ctx context.Context, name string) (int, error) {
	found, _, err := p.client.Health().Service(name, "", true, query(ctx))
	return len(found), err
}

func (p *bareConsul) Watch(_ context.Context, name string) (Watch, error) {
	return &bareConsulWatch{client: p.client, name: name}, nil
}

// Close takes what is registered back, as the SDK does.
func (p *bareConsul) Close() error {
	const limit = 10 * time.Second
	p.end()
	p.tasks.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var errs []error
	for id := range p.checks {
		err := p.client.Agent().ServiceDeregisterOpts(id, query(ctx))
		if err != nil && !strings.Contains(err.Error(), "Unknown service") {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// bareConsulWatch asks in blocking queries.
type bareConsulWatch struct {
	client *api.Client
	name   string
	index  uint64
}

func (w *bareConsulWatch) Next(ctx context.Context) (int, error) {
	for {
		asked := query(ctx)
		asked.WaitIndex = w.index
		found, meta, err := w.client.Health().Service(w.name, "", true, asked)
		if err != nil {
			return 0, err
		}
		if meta.LastIndex == w.index {
			continue // nothing has changed, its time was over
		}
		w.index = meta.LastIndex
		return len(found), nil
	}
}

// Campaign holds a key under a session that is bound to a TTL check, like the SDK's, because a session of its own would
// outlive a crash for 20 s.
func (p *bareConsul) Campaign(ctx context.Context, election, id string) (Term, error) {
	holder := fmt.Sprintf("%s-%s-%d", election, id, serial.Add(1)) // each candidacy has a check of its own
	if err := p.announce(ctx, "bare-candidate", holder); err != nil {
		return nil, err
	}
	write := (&api.WriteOptions{}).WithContext(ctx)
	session, err := p.session(write, consulID("bare-candidate", holder))
	if err != nil {
		return nil, err
	}
	term := &bareConsulTerm{p.client, &api.KVPair{Key: "bare/" + election, Value: []byte(id), Session: session}}
	const delayed = 50 * time.Millisecond
	for asked, free := query(ctx), false; ; {
		won, _, err := p.client.KV().Acquire(term.key, write)
		if err != nil || won {
			return term, err
		}
		if free { // and refused: the lock delay is not over
			time.Sleep(delayed)
		}
		held, meta, err := p.client.KV().Get(term.key.Key, asked)
		if err != nil {
			return nil, err
		}
		free, asked.WaitIndex = held == nil || held.Session == "", 0
		if !free {
			asked.WaitIndex = meta.LastIndex
		}
	}
}

// session opens a session bound to a check, as soon as the check has arrived at the servers.
func (p *bareConsul) session(write *api.WriteOptions, check string) (id string, err error) {
	const pause = 5 * time.Millisecond
	for write.Context().Err() == nil {
		id, _, err = p.client.Session().Create(&api.SessionEntry{
			LockDelay: consulLockDelay, NodeChecks: []string{"serfHealth"}, ServiceChecks: []api.ServiceCheck{{ID: check}},
		}, write)
		if err == nil || !strings.Contains(err.Error(), "Missing check") {
			return id, err
		}
		time.Sleep(pause)
	}
	return "", err
}

// bareConsulTerm is a lead.
type bareConsulTerm struct {
	client *api.Client
	key    *api.KVPair
}

func (t *bareConsulTerm) Resign(ctx context.Context) error {
	released, _, err := t.client.KV().Release(t.key, (&api.WriteOptions{}).WithContext(ctx))
	if err == nil && !released {
		err = errors.New("the key was not held any more")
	}
	return err
}
