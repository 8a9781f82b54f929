package zookeeper

import (
	"context"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// A stream looks again whenever a watch fires, and tells how what it sees differs from what it has told last. The
// servers tell that something has changed and not what, and nothing while the connection is lost. So it breaks when that
// is lost, looks again when there is another session, and does so every now and then in any case, since a watch may have
// got lost on the way.
type stream[R any] struct {
	b *backend
	// look returns what is new since it has returned something before. It reads again what it knows from other tools if
	// it is told to.
	look func(ctx context.Context, again bool) (*sight[R], error)

	life   context.Context // ends with Close, and with the backend
	end    context.CancelFunc
	relist *time.Timer

	// Touched by Next alone:
	first   *driver.Batch[R] // read when the stream was opened; nil once it was told
	begun   bool             // it was read
	cursor  uint64
	watch   <-chan zk.Event // fires when it is time to look again
	regains uint64          // of the link, when it has looked
	again   bool            // what is known of foreign nodes, and that the watch would have fired, is in doubt
	stale   bool
	broken  error
}

// A sight is what is new at one time.
type sight[R any] struct {
	changes  []driver.Change[R]
	revision uint64
	watch    <-chan zk.Event // fires when there is more
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

// see looks, and returns how what is there differs from what was told before; nil if it does not.
func (s *stream[R]) see(ctx context.Context) (*driver.Batch[R], error) {
	state, _ := s.b.link.state() // from before, so that what happens meanwhile is not missed
	seen, err := s.look(ctx, s.again)
	if err != nil {
		return nil, err
	}
	first := !s.begun
	s.watch, s.regains, s.stale, s.again, s.begun = seen.watch, state.regains, false, false, true
	s.cursor = max(s.cursor, seen.revision)
	if !first && len(seen.changes) == 0 {
		return nil, nil
	}
	return &driver.Batch[R]{Reset: first, Changes: seen.changes, Cursor: s.cursor}, nil
}

// A glance is the one record that there is at one time.
type glance[R any] struct {
	record   *R // nil: there is none
	revision uint64
	watch    <-chan zk.Event // fires when that changes
}

// looksAt returns how to look at what there is one of at the most, which find finds. Two records of one key are the same
// one, which was written again if they are not of the same write.
func looksAt[R any](
	find func(ctx context.Context, again bool) (*glance[R], error), sameKey, sameWrite func(a, b *R) bool,
) func(ctx context.Context, again bool) (*sight[R], error) {
	var told *R
	return func(ctx context.Context, again bool) (*sight[R], error) {
		found, err := find(ctx, again)
		if err != nil {
			return nil, err
		}
		seen := &sight[R]{revision: found.revision, watch: found.watch}
		now := found.record
		if told != nil && (now == nil || !sameKey(told, now)) {
			seen.changes = append(seen.changes, driver.Change[R]{Deleted: true, Record: told})
		}
		if now != nil && (told == nil || !sameKey(told, now) || !sameWrite(told, now)) {
			seen.changes = append(seen.changes, driver.Change[R]{Record: now})
		}
		told = now
		return seen, nil
	}
}
