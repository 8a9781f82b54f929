package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

// What goes into one transaction at the most. By default the servers take 128 operations, one of which each change in it
// needs in turn, and 1.5 MiB.
const (
	batchLimit     = 100
	batchSizeLimit = 512 << 10
)

// A batcher carries out swaps of several callers with one transaction, so that a thousand records that come back after
// an outage are not a thousand writes. A swap that comes alone is sent at once; those that come while it is under way
// go together after it. Each is decided on its own: that one fails keeps none of the others back.
type batcher struct {
	b *backend

	mu      sync.Mutex
	waiting []*swap
	busy    bool // a goroutine carries out swaps
}

// A swap changes what is stored under a key, if that is still what is expected.
type swap struct {
	key      string
	expected *mvccpb.KeyValue // nil for nothing
	change   clientv3.Op
	lease    clientv3.LeaseID // that the change puts a record on
	done     chan struct{}

	// The outcome, as of backend.swap; valid once done is closed.
	present  *mvccpb.KeyValue
	revision int64
	err      error
}

// swap is backend.swap, together with others.
func (t *batcher) swap(
	ctx context.Context, lease clientv3.LeaseID, expected *mvccpb.KeyValue, change clientv3.Op,
) (present *mvccpb.KeyValue, revision int64, err error) {
	s := &swap{key: string(change.KeyBytes()), expected: expected, change: change, lease: lease, done: make(chan struct{})}
	if err := t.add(s); err != nil {
		return nil, 0, err
	}
	select {
	case <-s.done:
		return s.present, s.revision, s.err
	case <-ctx.Done():
	}
	if t.withdraw(s) {
		return nil, 0, ctx.Err()
	}
	return nil, 0, fmt.Errorf("%w: %w", driver.ErrOutcomeUnknown, ctx.Err())
}

// add queues a swap, and sees to it that somebody carries it out.
func (t *batcher) add(s *swap) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b.life.Err() != nil || !t.busy && !t.b.start(t.run) {
		return driver.ErrClosed
	}
	t.busy = true
	t.waiting = append(t.waiting, s)
	return nil
}

// withdraw takes back a swap that was not sent. It reports false if it was.
func (t *batcher) withdraw(s *swap) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.waiting)
	t.waiting = slices.DeleteFunc(t.waiting, func(other *swap) bool { return s == other })
	return len(t.waiting) < before
}

// run carries out swaps until none are waiting.
func (t *batcher) run() {
	for batch := t.next(); len(batch) > 0; batch = t.next() {
		t.b.carryOut(batch)
	}
}

// next takes the swaps that go together: of different keys, as a transaction writes each once, and of one lease, since
// all fail where that has ended.
func (t *batcher) next() (batch []*swap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys, size := map[string]bool{}, 0
	t.waiting = slices.DeleteFunc(t.waiting, func(s *swap) bool {
		fits := len(batch) < batchLimit && size < batchSizeLimit
		if len(batch) > 0 && (!fits || s.lease != batch[0].lease || keys[s.key]) {
			return false
		}
		batch = append(batch, s)
		keys[s.key] = true
		size += len(s.key) + len(s.change.ValueBytes())
		return true
	})
	t.busy = len(batch) > 0
	return batch
}

// carryOut carries out swaps, with one transaction if the servers take it.
func (b *backend) carryOut(batch []*swap) {
	err := b.swapAll(batch)
	for _, s := range batch {
		switch {
		case err == nil:
		case len(batch) > 1 && apart(err):
			s.present, s.revision, s.err = b.swap(b.life, s.key, s.expected, s.change)
		default:
			s.err = err
		}
		close(s.done)
	}
}

// apart says whether some of the swaps may succeed where all together have failed: because the servers take smaller
// requests only, or do not let this client write one of the keys.
func apart(err error) bool {
	return errors.Is(err, rpctypes.ErrTooManyOps) || errors.Is(err, rpctypes.ErrRequestTooLarge) ||
		errors.Is(err, driver.ErrPermission)
}

// swapAll carries out swaps with one transaction, in which each is a transaction of its own.
func (b *backend) swapAll(batch []*swap) error {
	if len(batch) == 1 {
		s := batch[0]
		s.present, s.revision, s.err = b.swap(b.life, s.key, s.expected, s.change)
		return s.err
	}
	ops := make([]clientv3.Op, len(batch))
	for i, s := range batch {
		ops[i] = clientv3.OpTxn(
			[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(s.key), "=", s.expected.GetModRevision())},
			[]clientv3.Op{s.change},
			[]clientv3.Op{clientv3.OpGet(s.key)},
		)
	}
	var done *clientv3.TxnResponse
	err := b.write(b.life, func(ctx context.Context) (err error) {
		done, err = b.kv.Txn(ctx).Then(ops...).Commit()
		return err
	})
	if err != nil {
		return err
	}
	for i, s := range batch {
		if each := done.Responses[i].GetResponseTxn(); each.GetSucceeded() {
			s.revision = done.Header.Revision
		} else {
			s.present = first(each.GetResponses()[0].GetResponseRange().GetKvs())
		}
	}
	return nil
}
