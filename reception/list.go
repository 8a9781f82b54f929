package reception

import (
	"context"

	"github.com/go-reception/sdk/reception/driver"
)

// ListServices implements [Client].
func (c *client) ListServices(ctx context.Context, name string) ([]*Service, error) {
	if err := validateListServices(name); err != nil {
		return nil, c.wrap("ListServices", "", err)
	}
	if services, served := c.recall(ctx, name); served {
		return services, nil
	}
	mark := c.shelves.mark(name)
	response, err := ask(ctx, c, c.backend.ListServices, &driver.ListServicesRequest{Name: name})
	if err != nil {
		return nil, c.wrap("ListServices", name, err)
	}
	services := make([]*Service, 0, len(response.Instances))
	for _, instance := range response.Instances {
		if c.wellFormed(name, instance) {
			services = append(services, serviceOf(&instance.Service))
		}
	}
	mark.listed(response.Revision, services)
	return services, nil
}

// recall lists what the watch of name knows, if there is one that can be relied on. It leaves calls that are to fail
// for other reasons to those who say why.
func (c *client) recall(ctx context.Context, name string) ([]*Service, bool) {
	if ctx.Err() != nil || c.life.Err() != nil {
		return nil, false
	}
	h := c.shelves.of(name)
	if h == nil {
		return nil, false
	}
	return h.serve()
}

// ListNames implements [Client].
func (c *client) ListNames(ctx context.Context) ([]string, error) {
	response, err := ask(ctx, c, c.backend.ListNames, &driver.ListNamesRequest{})
	if err != nil {
		return nil, c.wrap("ListNames", "", err)
	}
	return append([]string{}, response.Names...), nil // a copy: what the backend returns may be shared
}

// Leader implements [Client].
func (c *client) Leader(ctx context.Context, election string) (*Leader, error) {
	if err := validateLeader(election); err != nil {
		return nil, c.wrap("Leader", "", err)
	}
	response, err := ask(ctx, c, c.backend.GetLeader, &driver.GetLeaderRequest{Election: election})
	if err != nil {
		return nil, c.wrap("Leader", election, err)
	}
	return leaderOf(response.Leader), nil
}

// ask makes one call for a user.
func ask[Q, R any](ctx context.Context, c *client, call func(context.Context, *Q) (*R, error), request *Q) (*R, error) {
	bound, cancel, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	response, err := call(bound, request)
	return response, c.closing(err)
}
