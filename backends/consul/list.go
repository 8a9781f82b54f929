package consul

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// ListServices implements [driver.Backend].
func (b *backend) ListServices(
	ctx context.Context, in *driver.ListServicesRequest,
) (*driver.ListServicesResponse, error) {
	var entries []*api.ServiceEntry
	var index uint64
	err := b.read(ctx, func(ctx context.Context) error {
		found, meta, err := b.client.Health().Service(in.Name, "", !b.settings.unhealthy, consistent(ctx))
		if err != nil {
			return err
		}
		entries, index = found, meta.LastIndex
		return b.checkFilter(ctx, found, meta)
	})
	if err != nil {
		return nil, err
	}
	instances := inOrder(winners(newReader(b, in.Name).records(entries)))
	return &driver.ListServicesResponse{Instances: instances, Revision: index}, nil
}

// checkFilter finds out whether the access control lists have kept something from an answer. Consul says so, unless there
// is no token: then an answer is empty, and so is that to the question for the nodes, of which there always is one.
func (b *backend) checkFilter(ctx context.Context, entries []*api.ServiceEntry, meta *api.QueryMeta) error {
	if meta.ResultsFilteredByACLs {
		return errFiltered
	}
	if len(entries) > 0 || meta.DefaultACLPolicy != "deny" {
		return nil
	}
	nodes, _, err := b.client.Catalog().Nodes(options(ctx))
	if err == nil && len(nodes) == 0 {
		err = errFiltered
	}
	return err
}

// ListNames implements [driver.Backend].
func (b *backend) ListNames(ctx context.Context, _ *driver.ListNamesRequest) (*driver.ListNamesResponse, error) {
	var services map[string][]string
	err := b.read(ctx, func(ctx context.Context) error {
		found, meta, err := b.client.Catalog().Services(consistent(ctx))
		services = found
		if err == nil && len(found) == 0 { // others may leave out what the token may not see
			err = b.checkFilter(ctx, nil, meta)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	delete(services, helperName)
	return &driver.ListNamesResponse{Names: slices.Sorted(maps.Keys(services))}, nil
}
