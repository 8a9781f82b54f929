package zookeeper

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

const (
	// inFlight is how many reads are under way at a time.
	inFlight = 128
	// readAtOnce is how many nodes are read within the time of one operation.
	readAtOnce = 2000
)

// readNodes reads writes of instances of a service. Of those that were not there any more, of which it reports whether
// there are some, there is nil.
func (b *backend) readNodes(ctx context.Context, service string, names []string) (nodes []*node, vanished bool, err error) {
	parent := b.keys.service(service)
	nodes = make([]*node, 0, len(names))
	for some := range slices.Chunk(names, readAtOnce) {
		contents, err := b.getAll(ctx, parent, some)
		if err != nil {
			return nil, false, err
		}
		for i, c := range contents {
			if c == nil {
				vanished = true
				nodes = append(nodes, nil)
				continue
			}
			nodes = append(nodes, b.decodeNode(service, some[i], c))
		}
	}
	return nodes, vanished, nil
}

// decodeNode reads a write of an instance. What cannot be read it logs, and returns a node without an instance.
func (b *backend) decodeNode(service, name string, c *content) *node {
	n, err := decodeNode(service, name, c.data, c.stat)
	if err != nil {
		b.log.Printf("reception: zookeeper: skipped %s/%s, which is no instance: %v", b.keys.service(service), name, err)
		return &node{name: name}
	}
	return n
}

// getAll reads nodes without waiting for one before the next is asked for. What is nil was not there.
func (b *backend) getAll(ctx context.Context, parent string, names []string) ([]*content, error) {
	return do(ctx, b, false, func(limited context.Context) ([]*content, error) {
		return b.fetch(limited, parent, names)
	})
}

// fetch is the request of getAll. It ends with ctx, and then with an error: what was not asked for must not look as if it
// were not there.
func (b *backend) fetch(ctx context.Context, parent string, names []string) ([]*content, error) {
	contents, errs := make([]*content, len(names)), make([]error, len(names))
	var reading sync.WaitGroup
	for first := range min(inFlight, len(names)) {
		reading.Go(func() {
			for i := first; i < len(names); i += inFlight {
				if ctx.Err() != nil {
					errs[i] = errGivenUp
					return
				}
				data, stat, err := b.conn.Get(parent + "/" + names[i])
				switch {
				case err == nil:
					contents[i] = &content{data, stat}
				case !errors.Is(err, zk.ErrNoNode):
					errs[i] = err
					return
				}
			}
		})
	}
	reading.Wait()
	return contents, cmp.Or(errs...)
}

// ListServices implements [driver.Backend].
func (b *backend) ListServices(
	ctx context.Context, in *driver.ListServicesRequest,
) (*driver.ListServicesResponse, error) {
	d := b.newDirectory(in.Name)
	found, _, err := d.refresh(ctx, b.getChildren)
	if err != nil {
		return nil, err
	}
	return &driver.ListServicesResponse{Instances: d.instances(), Revision: found.revision()}, nil
}

// ListNames implements [driver.Backend]. The nodes of names that were emptied stay for a while, so that it looks which
// have children.
func (b *backend) ListNames(ctx context.Context, _ *driver.ListNamesRequest) (*driver.ListNamesResponse, error) {
	found, err := b.list(ctx, b.keys.services)
	if err != nil {
		return nil, err
	}
	var names []string
	for some := range slices.Chunk(found.names, readAtOnce) {
		contents, err := b.getAll(ctx, b.keys.services, some)
		if err != nil {
			return nil, err
		}
		for i, c := range contents {
			name, err := unescape(some[i])
			if err == nil && c != nil && c.stat.NumChildren > 0 {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return &driver.ListNamesResponse{Names: names}, nil
}
