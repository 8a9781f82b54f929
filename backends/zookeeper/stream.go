package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// A stream looks again whenever a watch fires, and tells how what it sees differs from what it has told last. The
// servers tell that something has changed and not what, and nothing while the connection is lost. So it breaks when that
// is lost, looks again when there is another session, and does so every now and then in any case, since a watch may have
// got lost on the way.
type stream[R any] struct {
	b    *backend
	look func(ctx context.Context, again bool) (*sight[R], error)
	key  func(*R) string // tells a record from others
	same func(a, b *R) bool

	life   context.Context // ends with Close, and with the backend
	end    context.CancelFunc
	relist *time.Timer

	// Touched by Next alone:
	first   *driver.Batch[R] // read when the stream was opened; nil once it was told
	told    map[string]*R
	cursor  uint64
	watch   <-chan zk.Event // fires when it is time to look again
	regains uint64          // of the link, when it has looked
	again   bool            // what is known of foreign nodes, and that the watch would have fired, is in doubt
	stale   bool
	broken  error
}

// A sight is what there is at one time.
type sight[R any] struct {
	records  []*R // in the order of creation
	revision uint64
	watch    <-chan zk.Event // fires when that changes
}

// openStream looks for the first time, so that whoever opens a stream learns at once if that is not possible.
func openStream[R any](ctx context.Context, s *stream[R]) (driver.Stream[R], error) {
	s.life, s.end = context.WithCancel(s.b.life)
	s.relist = time.NewTimer(about(s.b.settings.relist))
	s.stale = true
	first, err := s.advance(ctx)
	if err != nil {
		s.Close()
		return nil, err
	}
	first.Reset = true
	s.first = first
	return s, nil
}

// Close implements [driver.Stream].
func (s *stream[R]) Close() {
	s.end()
	s.relist.Stop()
}

// Next implements [driver.Stream].
func (s *stream[R]) Next(ctx context.Context) (*driver.Batch[R], error) {
	if s.life.Err() != nil {
		return nil, driver.ErrClosed
	}
	if s.broken != nil {
		return nil, s.broken
	}
	if first := s.first; first != nil {
		s.first = nil
		return first, nil
	}
	batch, err := s.advance(ctx)
	switch {
	case err == nil:
		return batch, nil
	case s.life.Err() != nil:
		err = driver.ErrClosed
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	s.broken = err
	return nil, err
}

// advance waits for the next batch.
func (s *stream[R]) advance(ctx context.Context) (*driver.Batch[R], error) {
	looking, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	for {
		if s.stale {
			batch, err := s.see(looking)
			if batch != nil || err != nil {
				return batch, err
			}
		}
		if err := s.wait(looking); err != nil {
			return nil, err
		}
	}
}

// wait waits until it is time to look again.
func (s *stream[R]) wait(ctx context.Context) error {
	for {
		state, changed := s.b.link.state()
		switch {
		case !state.up:
			return fmt.Errorf("%w: %w", driver.ErrUnavailable, driver.ErrZkDisconnect)
		case state.regains != s.regains:
			s.stale = true
			return nil
		}
		select {
		case <-s.watch:
			s.stale = true
			return nil
		case <-s.relist.C:
			s.stale, s.again = true, true
			s.relist.Reset(about(s.b.settings.relist))
			return nil
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// see looks, and returns how what is there differs from what was told; nil if it does not.
func (s *stream[R]) see(ctx context.Context) (*driver.Batch[R], error) {
	state, _ := s.b.link.state() // from before, so that what happens meanwhile is not missed
	seen, err := s.look(ctx, s.again)
	if err != nil {
		return nil, err
	}
	first := s.told == nil
	batch := &driver.Batch[R]{Reset: first, Changes: s.changes(seen.records)}
	s.watch, s.regains, s.stale, s.again = seen.watch, state.regains, false, false
	s.cursor = max(s.cursor, seen.revision)
	batch.Cursor = s.cursor
	if !first && len(batch.Changes) == 0 {
		return nil, nil
	}
	return batch, nil
}

// changes makes records what was told, and returns how that differs from what was told before.
func (s *stream[R]) changes(records []*R) []driver.Change[R] {
	var changes []driver.Change[R]
	now := make(map[string]*R, len(records))
	for _, r := range records {
		now[s.key(r)] = r
	}
	for key, before := range s.told {
		if now[key] == nil {
			changes = append(changes, driver.Change[R]{Deleted: true, Record: before})
		}
	}
	for _, r := range records {
		if before := s.told[s.key(r)]; before == nil || before != r && !s.same(before, r) {
			changes = append(changes, driver.Change[R]{Record: r})
		}
	}
	s.told = now
	return changes
}

// OpenWatchService implements [driver.Backend].
func (b *backend) OpenWatchService(ctx context.Context, in *driver.WatchServiceRequest) (driver.InstanceStream, error) {
	d := b.newDirectory(in.Name)
	return openStream(ctx, &stream[driver.Instance]{
		b: b, key: instanceID, same: sameInstance,
		look: func(ctx context.Context, again bool) (*sight[driver.Instance], error) { return d.look(ctx, again) },
	})
}

func instanceID(i *driver.Instance) string { return i.Service.ID }

// sameInstance says whether two readings are of one write. Those of other tools may be overwritten in place.
func sameInstance(a, b *driver.Instance) bool {
	return a.Created == b.Created && a.Owner != "" && b.Owner != ""
}

// look reads what there is.
func (d *directory) look(ctx context.Context, again bool) (*sight[driver.Instance], error) {
	if again {
		d.reread()
	}
	for {
		found, watch, err := d.b.watchChildren(ctx, d.b.keys.service(d.service))
		if err != nil {
			return nil, err
		}
		complete, err := d.read(ctx, found.names)
		if err != nil {
			return nil, err
		}
		if complete {
			return &sight[driver.Instance]{records: d.instances(), revision: found.revision(), watch: watch}, nil
		}
	}
}

// OpenWatchRegistration implements [driver.Backend].
func (b *backend) OpenWatchRegistration(
	ctx context.Context, in *driver.WatchRegistrationRequest,
) (driver.InstanceStream, error) {
	key := instanceKey{in.Name, in.ID}
	return openStream(ctx, &stream[driver.Instance]{
		b: b, key: instanceID, same: sameInstance,
		look: func(ctx context.Context, again bool) (*sight[driver.Instance], error) {
			return b.lookAt(ctx, key, again)
		},
	})
}

// lookAt looks which record an instance has. It watches the node of that record, and not the whole list, so that it
// costs nothing when others come and go: whoever takes the instance over deletes that node. As long as this client's own
// write is there, it looks no further, except when there is doubt. A record that is there without its holder is none: its
// owner is to restore it, for others to find it when they take it over.
func (b *backend) lookAt(ctx context.Context, key instanceKey, again bool) (*sight[driver.Instance], error) {
	if mine := b.mine.instance(key); mine.path != "" && !again {
		found, watch, err := b.watchNode(ctx, mine.path)
		if err == nil {
			return sightOf(b.decodeNode(key.name, path.Base(mine.path), found), watch), nil
		}
		if !errors.Is(err, zk.ErrNoNode) {
			return nil, err
		}
	}
	found, err := b.held(ctx, key, b.watchNode)
	if err != nil {
		return nil, err
	}
	if found.node != nil {
		return sightOf(found.node, found.watch), nil
	}
	watch, err := b.watchHolder(ctx, key)
	if err != nil {
		return nil, err
	}
	if found, err = b.held(ctx, key, b.watchNode); err != nil {
		return nil, err
	}
	if found.node != nil {
		watch = found.watch
	}
	return sightOf(found.node, watch), nil
}

// sightOf is a record, and what fires when it is not that any more.
func sightOf(n *node, watch <-chan zk.Event) *sight[driver.Instance] {
	if n == nil || n.instance == nil {
		return &sight[driver.Instance]{watch: watch}
	}
	return &sight[driver.Instance]{records: []*driver.Instance{n.instance}, revision: n.instance.Created, watch: watch}
}
