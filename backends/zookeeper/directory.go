package zookeeper

import (
	"cmp"
	"context"
	"slices"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// A directory is what is known of a service's nodes. A node's content never changes under a name of ours, so that only
// names that are new are read. The servers tell all names with every change; what a change costs beyond a look at each of
// them does not depend on how many there are.
type directory struct {
	b       *backend
	service string

	known  map[string]*node // by the name of the node
	round  uint64           // of looking through the names
	writes map[string]*node // of each instance, by its ID: one of them, which leads to the others

	told    map[string]*driver.Instance // what stood when that was told last, by its ID
	touched []string                    // IDs of instances whose writes have changed since; some may be in it twice
}

func (b *backend) newDirectory(service string) *directory {
	return &directory{
		b: b, service: service,
		known: make(map[string]*node), writes: make(map[string]*node), told: make(map[string]*driver.Instance),
	}
}

// read takes over what there is under names. It reports false if some have vanished meanwhile, for names to be read
// again: an instance that was updated would be missing.
func (d *directory) read(ctx context.Context, names []string) (complete bool, err error) {
	d.round++
	var unread []string
	for _, name := range names {
		if n := d.known[name]; n != nil {
			n.round = d.round
		} else {
			unread = append(unread, name)
		}
	}
	if len(names)-len(unread) < len(d.known) {
		for _, n := range d.known {
			if n.round != d.round {
				d.forget(n)
			}
		}
	}
	nodes, vanished, err := d.b.readNodes(ctx, d.service, unread)
	if err != nil {
		return false, err
	}
	for _, n := range nodes {
		if n != nil {
			d.add(n)
		}
	}
	return !vanished, nil
}

// add takes a node over that was not known.
func (d *directory) add(n *node) {
	n.round = d.round
	d.known[n.name] = n
	if n.instance == nil {
		return
	}
	id := n.instance.Service.ID
	n.next = d.writes[id]
	d.writes[id] = n
	d.touched = append(d.touched, id)
}

// forget gives up a node that is known.
func (d *directory) forget(n *node) {
	delete(d.known, n.name)
	if n.instance == nil {
		return
	}
	id := n.instance.Service.ID
	if first := d.writes[id]; first != n {
		for first.next != n {
			first = first.next
		}
		first.next = n.next
	} else if n.next != nil {
		d.writes[id] = n.next
	} else {
		delete(d.writes, id)
	}
	d.touched = append(d.touched, id)
}

// reread has the nodes of other tools read again, which may change what is in theirs.
func (d *directory) reread() {
	for name, n := range d.known {
		if _, ours, err := parseInstance(name); !ours || err != nil {
			d.forget(n)
		}
	}
}

// instances are those that stand, oldest first.
func (d *directory) instances() []*driver.Instance {
	instances := make([]*driver.Instance, 0, len(d.writes))
	for _, n := range d.writes {
		instances = append(instances, n.standing())
	}
	slices.SortFunc(instances, byAge)
	return instances
}

// byAge has the oldest first.
func byAge(a, b *driver.Instance) int {
	return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.Service.ID, b.Service.ID))
}

// changes tells how what stands differs from what was told before: what has gone, and then what has come, oldest first.
func (d *directory) changes() []driver.Change[driver.Instance] {
	var changes []driver.Change[driver.Instance]
	var come []*driver.Instance
	for _, id := range d.touched {
		before, now := d.told[id], d.writes[id].standing()
		switch {
		case now == before || now != nil && before != nil && sameWrite(before, now):
			// Nothing that matters has changed, or it was told just now.
		case now == nil:
			changes = append(changes, driver.Change[driver.Instance]{Deleted: true, Record: before})
			delete(d.told, id)
		default:
			come = append(come, now)
			d.told[id] = now
		}
	}
	d.touched = nil
	slices.SortFunc(come, byAge)
	changes = slices.Grow(changes, len(come))
	for _, now := range come {
		changes = append(changes, driver.Change[driver.Instance]{Record: now})
	}
	return changes
}

// sameWrite says whether two readings are of one write. Those of other tools may be overwritten in place.
func sameWrite(a, b *driver.Instance) bool {
	return a.Created == b.Created && a.Owner != "" && b.Owner != ""
}

// OpenWatchService implements [driver.Backend].
func (b *backend) OpenWatchService(ctx context.Context, in *driver.WatchServiceRequest) (driver.InstanceStream, error) {
	return openStream(ctx, &stream[driver.Instance]{b: b, look: b.newDirectory(in.Name).look})
}

// look reads what there is, and tells what of it is new.
func (d *directory) look(ctx context.Context, again bool) (*sight[driver.Instance], error) {
	if again {
		d.reread()
	}
	found, watch, err := d.refresh(ctx, d.b.watchChildren)
	if err != nil {
		return nil, err
	}
	return &sight[driver.Instance]{changes: d.changes(), revision: found.revision(), watch: watch}, nil
}

// refresh takes over what there is, under names that list reads.
func (d *directory) refresh(
	ctx context.Context, list func(context.Context, string) (*listing, <-chan zk.Event, error),
) (*listing, <-chan zk.Event, error) {
	for {
		found, watch, err := list(ctx, d.b.keys.service(d.service))
		if err != nil {
			return nil, nil, err
		}
		complete, err := d.read(ctx, found.names)
		if err != nil {
			return nil, nil, err
		}
		if complete {
			return found, watch, nil
		}
	}
}
