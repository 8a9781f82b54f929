package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/go-reception/sdk/reception"
)

// A Party is one client, with what the figures ask of it.
type Party interface {
	// Register stores an instance, as Instance has it, for as long as the party lives.
	Register(ctx context.Context, name, id string) error
	// Deregister removes an instance that it has registered.
	Deregister(ctx context.Context, name, id string) error
	// List returns how many instances there are. All of their contents have been read then.
	List(ctx context.Context, name string) (int, error)
	// Watch follows the instances until ctx ends.
	Watch(ctx context.Context, name string) (Watch, error)
	// Campaign waits until the candidate leads.
	Campaign(ctx context.Context, election, id string) (Term, error)
	// Close gives everything back.
	Close() error
}

// A Watch tells what there is, whenever that changes.
type Watch interface {
	// Next waits for the next state, and returns how many instances are in it.
	Next(ctx context.Context) (int, error)
}

// A Term is a lead.
type Term interface {
	Resign(ctx context.Context) error
}

// Way is how a party is to connect.
type Way struct {
	Addr string        // where the server, or a proxy before it, is
	TTL  time.Duration // how long what it stores outlives it
}

// Instance is what everybody registers: some attributes, as real services have them.
func Instance(name, id string) *reception.Service {
	return &reception.Service{
		Name: name, ID: id, Address: "192.0.2.1", Port: 8080,
		Attributes: reception.Attributes{"version": "1.2.3", "zone": "eu-1"},
	}
}

// sdk is a party that uses the SDK.
type sdk struct{ client reception.Client }

func (p sdk) Register(ctx context.Context, name, id string) error {
	return p.client.Register(ctx, Instance(name, id), nil)
}

func (p sdk) Deregister(ctx context.Context, name, id string) error {
	return p.client.Deregister(ctx, Instance(name, id))
}

func (p sdk) List(ctx context.Context, name string) (int, error) {
	services, err := p.client.ListServices(ctx, name)
	return len(services), err
}

func (p sdk) Watch(ctx context.Context, name string) (Watch, error) {
	states, err := p.client.NewWatcher(name).Start(ctx)
	return sdkWatch(states), err
}

func (p sdk) Campaign(ctx context.Context, election, id string) (Term, error) {
	return p.client.Campaign(ctx, election, Instance("candidate", id))
}

func (p sdk) Close() error { return p.client.Close() }

// sdkWatch is what a watcher of the SDK delivers.
type sdkWatch <-chan *reception.ServiceState

func (w sdkWatch) Next(ctx context.Context) (int, error) {
	select {
	case state, open := <-w:
		if !open {
			return 0, fmt.Errorf("the watch has ended: %w", context.Cause(ctx))
		}
		return len(state.Services), nil // with an Err these are the last known ones
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
