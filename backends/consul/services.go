package consul

import (
	"context"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// OpenWatchService implements [driver.Backend].
func (b *backend) OpenWatchService(ctx context.Context, in *driver.WatchServiceRequest) (driver.InstanceStream, error) {
	s := &serviceStream{reader: newReader(b, in.Name)}
	s.poll = newPoll(b, func(q *api.QueryOptions) ([]*api.ServiceEntry, *api.QueryMeta, error) {
		entries, meta, err := b.client.Health().Service(in.Name, "", !b.settings.unhealthy, q)
		if err == nil {
			err = b.checkFilter(q.Context(), entries, meta)
		}
		return entries, meta, err
	})
	first, err := s.poll.next(ctx) // so that whoever opens a stream learns at once if that is not possible
	if err != nil {
		s.poll.close()
		return nil, err
	}
	s.first = first
	return s, nil
}

// A serviceStream tells which instances of a service there are. Consul tells all of them every time; what is told on is
// what has changed.
type serviceStream struct {
	poll   *poll[[]*api.ServiceEntry]
	reader *reader
	first  []*api.ServiceEntry // read when the stream was opened
	shown  map[string]*record  // as told last, by the instance's ID; nil before the first batch
}

// Next implements [driver.Stream].
func (s *serviceStream) Next(ctx context.Context) (*driver.Batch[driver.Instance], error) {
	if s.shown == nil {
		if s.poll.ctx.Err() != nil {
			return nil, driver.ErrClosed
		}
		s.shown = winners(s.reader.records(s.first))
		s.first = nil
		return s.reset(), nil
	}
	for {
		entries, err := s.poll.next(ctx)
		if err != nil {
			return nil, err
		}
		changes := s.change(winners(s.reader.records(entries)))
		s.poll.fruitless = len(changes) == 0
		if len(changes) > 0 {
			return &driver.Batch[driver.Instance]{Changes: changes, Cursor: s.poll.index}, nil
		}
	}
}

// reset is the batch that tells everything.
func (s *serviceStream) reset() *driver.Batch[driver.Instance] {
	instances := inOrder(s.shown)
	batch := &driver.Batch[driver.Instance]{
		Reset: true, Changes: make([]driver.Change[driver.Instance], 0, len(instances)), Cursor: s.poll.index,
	}
	for _, instance := range instances {
		batch.Changes = append(batch.Changes, driver.Change[driver.Instance]{Record: instance})
	}
	return batch
}

// change makes now what is shown, and returns how it differs from what was.
func (s *serviceStream) change(now map[string]*record) (changes []driver.Change[driver.Instance]) {
	for id, before := range s.shown {
		if now[id] == nil {
			changes = append(changes, driver.Change[driver.Instance]{Deleted: true, Record: before.instance})
		}
	}
	for id, record := range now {
		if before := s.shown[id]; before == nil || before.instance != record.instance {
			changes = append(changes, driver.Change[driver.Instance]{Record: record.instance})
		}
	}
	s.shown = now
	return changes
}

// Close implements [driver.Stream].
func (s *serviceStream) Close() { s.poll.close() }
