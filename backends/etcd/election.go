package etcd

import (
	"context"
	"slices"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

// Enqueue implements [driver.Backend]. A candidate's place is the revision at which its key was created.
func (b *backend) Enqueue(ctx context.Context, in *driver.EnqueueRequest) (*driver.EnqueueResponse, error) {
	lease := leaseOf(in.Session)
	value, err := encodeCandidate(&in.Service)
	if err != nil {
		return nil, err
	}
	key := b.keys.candidate(in.Election, lease)
	err = b.write(ctx, func(ctx context.Context) error {
		_, err := b.kv.Txn(ctx).
			If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
			Then(clientv3.OpPut(key, value, clientv3.WithLease(lease))).
			Commit()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &driver.EnqueueResponse{}, nil
}

// AwaitTurn implements [driver.Backend]. It waits for its predecessor in the queue and for nobody else, so that one
// departure wakes one candidate; and for its own removal, so that no candidate leads who is not in the queue any more.
// What it learns makes it read the queue again, and the queue alone decides.
func (b *backend) AwaitTurn(ctx context.Context, in *driver.AwaitTurnRequest) (*driver.AwaitTurnResponse, error) {
	lease := leaseOf(in.Session)
	key := b.keys.candidate(in.Election, lease)
	for {
		queue, revision, err := b.queue(ctx, in.Election)
		if err != nil {
			return nil, err
		}
		place := slices.IndexFunc(queue, func(kv *mvccpb.KeyValue) bool { return string(kv.Key) == key })
		switch {
		case place < 0:
			return nil, b.absent(ctx, lease)
		case place == 0:
			return &driver.AwaitTurnResponse{Token: uint64(queue[0].CreateRevision)}, nil
		}
		if err := b.awaitDeparture(ctx, revision, key, string(queue[place-1].Key)); err != nil {
			return nil, err
		}
	}
}

// queue reads the candidates of an election, first come first. It reads their content too: without that, servers from
// 3.7 on leave out which lease a key lives on.
func (b *backend) queue(ctx context.Context, election string) (queue []*mvccpb.KeyValue, revision int64, err error) {
	prefix := b.keys.election(election)
	found, err := b.list(ctx, prefix)
	if err != nil {
		return nil, 0, err
	}
	for _, kv := range found.Kvs {
		if _, yes := queues(prefix, kv); yes {
			queue = append(queue, kv)
		}
	}
	return queue, found.Header.Revision, nil
}

// absent says why there is no candidate on a lease: the lease has gone, or the candidate has.
func (b *backend) absent(ctx context.Context, lease clientv3.LeaseID) error {
	var left int64
	err := b.read(ctx, func(ctx context.Context) (err error) {
		left, err = b.lease.left(ctx, lease)
		return err
	})
	switch {
	case err != nil:
		return err
	case left <= 0:
		return driver.ErrSessionExpired
	default:
		return driver.ErrNotLeader
	}
}

// awaitDeparture waits until one of keys has been deleted after revision, or may have been.
func (b *backend) awaitDeparture(ctx context.Context, revision int64, keys ...string) error {
	waiting, cancel := context.WithCancel(ctx)
	var feeds sync.WaitGroup
	defer feeds.Wait()
	defer cancel()
	outcomes := make(chan error, len(keys))
	for _, key := range keys {
		feeds.Go(func() {
			f := b.resume(key, revision)
			defer f.close()
			outcomes <- f.awaitDelete(waiting)
		})
	}
	return <-outcomes
}

// awaitDelete waits until the feed's key has been deleted, or may have been, because history is missing.
func (f *feed) awaitDelete(ctx context.Context) error {
	for {
		u, err := f.next(ctx)
		if err != nil {
			return err
		}
		deleted := func(e *clientv3.Event) bool { return e.Type == clientv3.EventTypeDelete }
		if u.reset || slices.ContainsFunc(u.events, deleted) {
			return nil
		}
	}
}

// Confirm implements [driver.Backend]. The leader of the cluster renews the lease, and a majority confirms that the
// candidate is at the head of the queue. Its key lives on the lease and still has the revision that it was created with,
// so both have stood without a gap since; and nobody comes before it unless it is deleted or the lease runs out, which
// the renewal has put off.
//
// Both are asked at the same time, since it does not matter which is answered first: a lease that is gone never comes
// back, so one that is renewed after the queue was read stood when it was read, and takes the key no sooner.
func (b *backend) Confirm(ctx context.Context, in *driver.ConfirmRequest) (*driver.ConfirmResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		head *mvccpb.KeyValue
		err  error
	}
	asked := make(chan answer, 1)
	go func() {
		head, err := b.head(ctx, in.Election)
		asked <- answer{head, err}
	}()
	goodFor, err := b.renew(ctx, in.Session)
	if err != nil {
		cancel()
	}
	found := <-asked
	switch {
	case err != nil:
		return nil, err
	case found.err != nil:
		return nil, found.err
	case string(found.head.GetKey()) != b.keys.candidate(in.Election, leaseOf(in.Session)),
		uint64(found.head.CreateRevision) != in.Token:
		return nil, driver.ErrNotLeader
	}
	return &driver.ConfirmResponse{GoodFor: goodFor}, nil
}

// head reads the first of an election's queue, nil if there is none.
func (b *backend) head(ctx context.Context, election string) (*mvccpb.KeyValue, error) {
	prefix := b.keys.election(election)
	first := clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend)
	for _, limit := range []int64{1, 0} { // all only if the first key is that of no candidate
		found, err := b.list(ctx, prefix, first, clientv3.WithLimit(limit))
		if err != nil {
			return nil, err
		}
		for _, kv := range found.Kvs {
			if _, yes := queues(prefix, kv); yes {
				return kv, nil
			}
		}
		if !found.More {
			break
		}
	}
	return nil, nil
}

// Withdraw implements [driver.Backend]. The key is the session's own, so there is nobody else to spare.
func (b *backend) Withdraw(ctx context.Context, in *driver.WithdrawRequest) (*driver.WithdrawResponse, error) {
	lease := leaseOf(in.Session)
	var deleted int64
	err := b.write(ctx, func(ctx context.Context) error {
		response, err := b.kv.Delete(ctx, b.keys.candidate(in.Election, lease))
		if err == nil {
			deleted = response.Deleted
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case deleted == 0:
		return nil, driver.ErrNotLeader
	default:
		return &driver.WithdrawResponse{}, nil
	}
}

// GetLeader implements [driver.Backend].
func (b *backend) GetLeader(ctx context.Context, in *driver.GetLeaderRequest) (*driver.GetLeaderResponse, error) {
	head, err := b.head(ctx, in.Election)
	if err != nil {
		return nil, err
	}
	if head == nil {
		return nil, driver.ErrNoLeader
	}
	return &driver.GetLeaderResponse{Leader: b.candidateOf(in.Election, head)}, nil
}

// decodeCandidate reads a candidate; it logs what cannot be read, and returns nil.
func (b *backend) decodeCandidate(election string, kv *mvccpb.KeyValue) *driver.Candidate {
	c, err := b.keys.decodeCandidate(election, kv)
	if err != nil {
		b.log.Printf("reception: etcd: skipped %q, which is no candidate: %v", kv.Key, err)
		return nil
	}
	return c
}

// candidateOf reads a candidate that is in the queue. Where its content cannot be read it leads all the same.
func (b *backend) candidateOf(election string, kv *mvccpb.KeyValue) *driver.Candidate {
	if c := b.decodeCandidate(election, kv); c != nil {
		return c
	}
	return &driver.Candidate{Election: election, Session: sessionOf(kv.Lease), Token: uint64(kv.CreateRevision)}
}
