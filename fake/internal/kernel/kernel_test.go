package kernel

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-reception/sdk/reception/driver"
)

// TestMain checks that no goroutine is left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// thing lives on a session and has an owner; note lives for ever and has none.
type (
	thing struct {
		Scope, Key, Session, Owner string
		Generation, Order          uint64
		Tags                       map[string]string
	}
	note struct {
		Scope, Key, Text string
		Order            uint64
	}
)

func (t thing) clone() thing {
	t.Tags = maps.Clone(t.Tags)
	return t
}

// world is a kernel with a table of each.
type world struct {
	*Kernel

	tb     testing.TB
	things *Table[thing]
	notes  *Table[note]
}

func newWorld(tb testing.TB, config Config) *world {
	tb.Helper()
	if config.TTL == 0 {
		config.TTL = 10 * time.Second
	}
	if config.Log == 0 {
		config.Log = 100
	}
	k := New(config)
	return &world{
		Kernel: k,
		tb:     tb,
		things: NewTable(k, Schema[thing]{
			Name:       "thing",
			Scope:      func(t *thing) string { return t.Scope },
			Key:        func(t *thing) string { return t.Key },
			Order:      func(t *thing) *uint64 { return &t.Order },
			Session:    func(t *thing, id string) { t.Session = id },
			Owner:      func(t *thing) string { return t.Owner },
			Generation: func(t *thing) uint64 { return t.Generation },
			Clone:      thing.clone,
		}),
		notes: NewTable(k, Schema[note]{
			Name:  "note",
			Scope: func(n *note) string { return n.Scope },
			Key:   func(n *note) string { return n.Key },
			Order: func(n *note) *uint64 { return &n.Order },
			Clone: func(n note) note { return n },
		}),
	}
}

// wire is a line that is always up.
type wire struct{}

func (wire) Wait(ctx context.Context, ready, end <-chan struct{}, d time.Duration) error {
	var timeout <-chan time.Time
	if d > 0 {
		timeout = time.After(d)
	}
	select {
	case <-ready:
	case <-timeout:
	case <-ctx.Done():
		return ctx.Err()
	case <-end:
		return driver.ErrClosed
	}
	return nil
}

// errIdle is what an impatient line returns where others would wait.
var errIdle = errors.New("would wait")

type impatient struct{}

func (impatient) Wait(context.Context, <-chan struct{}, <-chan struct{}, time.Duration) error {
	return errIdle
}

// run carries out an operation of p, which must not wait.
func (w *world) run(p *Peer, do func(tx *Tx)) Result {
	return w.Run(Caller{Context: context.Background(), Peer: p, Line: impatient{}}, func(tx *Tx) error {
		do(tx)
		return nil
	})
}

func (w *world) open(p *Peer, ttl time.Duration) string {
	w.tb.Helper()
	var s Session
	w.run(p, func(tx *Tx) { s = tx.Open(ttl) })
	return s.ID
}

func (w *world) put(p *Peer, mode Mode, session string, t thing) Put {
	w.tb.Helper()
	var put Put
	var err error
	w.run(p, func(tx *Tx) { put, err = w.things.Put(tx, t, mode, session) })
	if err != nil {
		w.tb.Fatalf("put %+v: %v", t, err)
	}
	return put
}

// keys lists a scope.
func (w *world) keys(p *Peer, scope string) (keys []string) {
	w.tb.Helper()
	w.run(p, func(tx *Tx) {
		for _, t := range w.things.List(tx, scope) {
			keys = append(keys, t.Key)
		}
	})
	return keys
}

// drain reads what a stream has, without waiting.
func drain[R any](tb testing.TB, s driver.Stream[R]) (batches []*driver.Batch[R]) {
	tb.Helper()
	for {
		batch, err := s.Next(context.Background())
		switch {
		case errors.Is(err, errIdle):
			return batches
		case err != nil:
			tb.Fatalf("next: %v", err)
		}
		batches = append(batches, batch)
	}
}

// watch opens a stream that does not wait.
func watch[R any](w *world, p *Peer, open func(tx *Tx) driver.Stream[R]) driver.Stream[R] {
	w.tb.Helper()
	var s driver.Stream[R]
	w.run(p, func(tx *Tx) { s = open(tx) })
	w.tb.Cleanup(s.Close)
	return s
}
