package kernel

import (
	"context"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// stream implements driver.Stream: what it delivers is its source's.
type stream[R any] struct {
	source source[R]
	scope  *scope[R]
	chime  *chime // rings when there may be something new
	peer   *Peer
	line   Line
	end    chan struct{} // closed when the stream is
	closed bool

	vouch  time.Duration // how long its proofs are good; 0: it gives none
	proven time.Duration // when, by the kernel's clock, the newest proof was asked for
}

// source is a stream's view of a scope.
type source[R any] interface {
	// poll returns the news of the scope of which the newest n changes are hidden, nil if there are none.
	poll(s *scope[R], n int) *driver.Batch[R]
	// close gives back what the source holds of the scope.
	close(s *scope[R])
}

// Watch streams the records of a scope, in steps. The stream waits over the caller's line.
func (t *Table[R]) Watch(tx *Tx, scope string) driver.Stream[R] {
	s := t.scope(scope)
	s.followers++
	stream := newStream(tx, s, &s.all, &follower[R]{fresh: true})
	stream.vouch = t.kernel.config.Vouch
	return stream
}

// WatchKey streams one record, there or not, in states: each batch is a Reset, and what changes faster than the reader
// reads is left out.
func (t *Table[R]) WatchKey(tx *Tx, scope, key string) driver.Stream[R] {
	s := t.scope(scope)
	c := s.keys[key]
	if c == nil {
		c = &keyChime{}
		s.keys[key] = c
	}
	c.watchers++
	return newStream(tx, s, &c.chime, &keyState[R]{key: key, state: state[R]{fresh: true}})
}

// WatchHead streams the first record of a scope in states, like WatchKey.
func (t *Table[R]) WatchHead(tx *Tx, scope string) driver.Stream[R] {
	s := t.scope(scope)
	return newStream(tx, s, &s.head, &headState[R]{state[R]{fresh: true}})
}

func newStream[R any](tx *Tx, s *scope[R], c *chime, from source[R]) *stream[R] {
	s.watchers++
	return &stream[R]{
		source: from,
		scope:  s,
		chime:  c,
		peer:   tx.caller.Peer,
		line:   tx.caller.Line,
		end:    make(chan struct{}),
	}
}

// Next implements driver.Stream.
func (s *stream[R]) Next(ctx context.Context) (*driver.Batch[R], error) {
	k := s.scope.table.kernel
	now := k.lock()
	defer k.mu.Unlock()
	for {
		if s.closed {
			return nil, driver.ErrClosed
		}
		n, in := s.scope.hidden(s.peer, now)
		due := s.due(now)
		switch batch := s.source.poll(s.scope, n); {
		case batch != nil && s.vouch > 0 && (batch.Reset || due <= 0):
			return s.prove(*batch, now), nil
		case batch != nil:
			return batch, nil
		case s.vouch > 0 && due <= 0:
			return s.prove(driver.Batch[R]{Cursor: s.scope.revisionBefore(n)}, now), nil
		case s.vouch > 0 && (in == 0 || due < in):
			in = due
		}
		b := s.chime.join()
		k.mu.Unlock()
		err := s.line.Wait(ctx, b.ready, s.end, in)
		now = k.lock()
		b.leave()
		if err != nil {
			return nil, err
		}
	}
}

// due returns in how long the next proof is: when half the time of the last one is over.
func (s *stream[R]) due(now time.Duration) time.Duration {
	return s.proven + (s.vouch+1)/2 + s.scope.table.kernel.lag - now
}

// prove adds to a batch, which may be shared, that the stream has told all there is: all that is not held back by lag.
func (s *stream[R]) prove(batch driver.Batch[R], now time.Duration) *driver.Batch[R] {
	k := s.scope.table.kernel
	s.proven = now - k.lag
	batch.Proof = driver.Proof{Asked: driver.MomentOf(k.epoch.Add(s.proven)), GoodFor: s.vouch}
	return &batch
}

// Close implements driver.Stream.
func (s *stream[R]) Close() {
	k := s.scope.table.kernel
	k.lock()
	defer k.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	close(s.end)
	s.source.close(s.scope)
	s.scope.watchers--
	s.scope.table.retire(s.scope)
}

// follower reads the log of a scope.
type follower[R any] struct {
	fresh bool
	next  uint64 // position of the first unread change
}

func (f *follower[R]) poll(s *scope[R], n int) *driver.Batch[R] {
	from, to := f.next, s.log.end()-uint64(n)
	switch {
	case f.fresh || from < s.log.start:
		f.fresh, f.next = false, to
		return s.reset(n)
	case from < to:
		f.next = to
		return s.log.read(from, to, s.table.kernel.born)
	default:
		return nil
	}
}

func (f *follower[R]) close(s *scope[R]) { s.followers-- }

// reset is the batch that a stream begins with. The present one is shared.
func (s *scope[R]) reset(n int) *driver.Batch[R] {
	if n == 0 && s.snapshot != nil {
		return s.snapshot
	}
	batch := newReset(s.before(n), s.revisionBefore(n))
	if n == 0 {
		s.snapshot = batch
	}
	return batch
}

func newReset[R any](records []*R, revision uint64) *driver.Batch[R] {
	changes := make([]driver.Change[R], len(records))
	for i, r := range records {
		changes[i].Record = r
	}
	return &driver.Batch[R]{Reset: true, Changes: changes, Cursor: revision}
}

// state is what the reader of a single record was told.
type state[R any] struct {
	fresh bool
	told  *R
}

// news returns a batch if record, which may be nil, is not what the reader was told.
func (s *state[R]) news(record *R, revision uint64) *driver.Batch[R] {
	if !s.fresh && s.told == record {
		return nil
	}
	s.fresh, s.told = false, record
	if record == nil {
		return newReset[R](nil, revision)
	}
	return newReset([]*R{record}, revision)
}

// keyState is the state of one key.
type keyState[R any] struct {
	state[R]

	key string
}

func (k *keyState[R]) poll(s *scope[R], n int) *driver.Batch[R] {
	return k.news(s.keyBefore(n, k.key), s.revisionBefore(n))
}

func (k *keyState[R]) close(s *scope[R]) {
	c := s.keys[k.key]
	if c.watchers--; c.watchers == 0 {
		delete(s.keys, k.key)
	}
}

// headState is the state of the head.
type headState[R any] struct{ state[R] }

func (h *headState[R]) poll(s *scope[R], n int) *driver.Batch[R] {
	return h.news(s.headBefore(n), s.revisionBefore(n))
}

func (h *headState[R]) close(*scope[R]) {}

var _ driver.Stream[int] = (*stream[int])(nil)
