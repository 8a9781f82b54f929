package reception

import (
	"context"

	"github.com/go-reception/sdk/reception/driver"
)

// serviceWatches are a client's watches of services.
type serviceWatches = watches[serviceView, ServiceState]

// A serviceView is what a watch knows at one moment. It is immutable.
type serviceView struct {
	services []*Service // in the order of creation
	revision uint64
	err      error // why it may be out of date
}

func newServiceWatches(c *client) *serviceWatches {
	return &serviceWatches{
		c: c, op: "Watch",
		render: renderServices,
		follow: c.followServices,
		feeds:  make(map[string]*feed[serviceView, ServiceState]),
	}
}

// NewWatcher implements [Client].
func (c *client) NewWatcher(name string) Watcher {
	return &watcher[serviceView, ServiceState]{watches: c.services, name: name, invalid: validateNewWatcher(name)}
}

// followServices publishes what there is of name until ctx ends.
func (c *client) followServices(ctx context.Context, name string, publish func(*serviceView)) {
	shelf := c.shelves.open(name)
	defer c.shelves.close(name, shelf)
	var set serviceSet
	var revision uint64
	view := func(err error) *serviceView {
		revision++
		return &serviceView{services: set.list(), revision: revision, err: err}
	}
	u := upstream[driver.Instance]{
		c: c, op: c.services.op, name: name,
		open: func(ctx context.Context) (driver.InstanceStream, error) {
			return c.backend.OpenWatchService(ctx, &driver.WatchServiceRequest{Name: name})
		},
		apply: func(batch *driver.Batch[driver.Instance]) {
			if !batch.Reset && len(batch.Changes) == 0 {
				shelf.prove(batch)
				return
			}
			set.apply(batch, func(instance *driver.Instance) bool { return c.wellFormed(name, instance) })
			now := view(nil)
			shelf.fill(batch, now.services) // first, or else a list contradicts the state that its caller has just got
			publish(now)
		},
		broken: func(err error) {
			shelf.empty()
			publish(view(err))
		},
	}
	u.run(ctx)
}

// wellFormed says whether instance can be one of name; what cannot is skipped and logged. Records that another tool has
// written need not keep the limits that Register does.
func (c *client) wellFormed(name string, instance *driver.Instance) bool {
	if instance != nil && instance.Service.Name == name && instance.Service.ID != "" {
		return true
	}
	c.log.Printf("reception: %s on %s: skipped what is no record of it: %+v", name, c.backend.Name(), instance)
	return false
}

// renderServices makes the state that leads a reader from the view seen to now.
func renderServices(seen, now *serviceView) *ServiceState {
	if seen == nil {
		return &ServiceState{Services: now.services, Added: now.services, Revision: now.revision, Err: now.err}
	}
	added, updated, removed := diff(seen.services, now.services)
	if len(added)+len(updated)+len(removed) == 0 && (seen.err == nil) == (now.err == nil) {
		return nil
	}
	return &ServiceState{
		Services: now.services,
		Added:    added,
		Updated:  updated,
		Removed:  removed,
		Revision: now.revision,
		Err:      now.err,
	}
}
