package etcd

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

// Register implements [driver.Backend]. It is one write, which also says what it has overwritten.
func (b *backend) Register(ctx context.Context, in *driver.RegisterRequest) (*driver.RegisterResponse, error) {
	put, err := b.put(in.Session, &in.Instance, clientv3.WithPrevKV())
	if err != nil {
		return nil, err
	}
	var done *clientv3.PutResponse
	err = b.write(ctx, func(ctx context.Context) error {
		response, err := b.kv.Do(ctx, put)
		done = response.Put()
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &driver.RegisterResponse{Revision: uint64(done.Header.Revision)}
	b.written.note(stored(&put, done, leaseOf(in.Session)))
	if done.PrevKv != nil {
		if before := b.decodeInstance(done.PrevKv); before != nil && before.Owner != in.Instance.Owner {
			out.Displaced = before.Owner
		}
	}
	return out, nil
}

// put returns the write of an instance.
func (b *backend) put(session driver.SessionID, i *driver.Instance, opts ...clientv3.OpOption) (clientv3.Op, error) {
	value, err := encodeInstance(i)
	if err != nil {
		return clientv3.Op{}, err
	}
	opts = append(opts, clientv3.WithLease(leaseOf(session)))
	return clientv3.OpPut(b.keys.instance(i.Service.Name, i.Service.ID), value, opts...), nil
}

// stored is the key as a write has left it.
func stored(put *clientv3.Op, done *clientv3.PutResponse, lease clientv3.LeaseID) *mvccpb.KeyValue {
	kv := &mvccpb.KeyValue{
		Key: put.KeyBytes(), Value: put.ValueBytes(), Lease: int64(lease),
		CreateRevision: done.Header.Revision, ModRevision: done.Header.Revision,
	}
	if done.PrevKv != nil {
		kv.CreateRevision = done.PrevKv.CreateRevision
	}
	return kv
}

// Restore implements [driver.Backend]. It guesses that there is no record, which is the common case after an outage and
// then costs one request at the most, and otherwise replaces the very record that it has judged. Records that are
// restored at the same time share requests.
func (b *backend) Restore(ctx context.Context, in *driver.RestoreRequest) (*driver.RestoreResponse, error) {
	put, err := b.put(in.Session, &in.Instance)
	if err != nil {
		return nil, err
	}
	var present *mvccpb.KeyValue
	for {
		var revision int64
		present, revision, err = b.together.swap(ctx, leaseOf(in.Session), present, put)
		if err != nil {
			return nil, err
		}
		if revision > 0 {
			return &driver.RestoreResponse{Revision: uint64(revision)}, nil
		}
		if present != nil && b.foreign(present, in.Instance.Owner, in.Instance.Generation) {
			return nil, driver.ErrReplaced
		}
	}
}

// Deregister implements [driver.Backend].
func (b *backend) Deregister(ctx context.Context, in *driver.DeregisterRequest) (*driver.DeregisterResponse, error) {
	key := b.keys.instance(in.Name, in.ID)
	b.written.take(key) // nobody will watch it
	var found *clientv3.GetResponse
	err := b.read(ctx, func(ctx context.Context) (err error) {
		found, err = b.kv.Get(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	present := first(found.Kvs)
	for present != nil && b.owned(present, in.Owner, in.Generation) {
		var revision int64
		present, revision, err = b.swap(ctx, key, present, clientv3.OpDelete(key))
		if err != nil {
			return nil, err
		}
		if revision > 0 {
			return &driver.DeregisterResponse{Removed: true}, nil
		}
	}
	return &driver.DeregisterResponse{}, nil
}

// swap carries out change if what is stored under key is still expected, which is nil for nothing. It returns the
// revision of the change, or 0 and what is stored instead.
func (b *backend) swap(
	ctx context.Context, key string, expected *mvccpb.KeyValue, change clientv3.Op,
) (present *mvccpb.KeyValue, revision int64, err error) {
	var done *clientv3.TxnResponse
	err = b.write(ctx, func(ctx context.Context) (err error) {
		done, err = b.kv.Txn(ctx).
			If(clientv3.Compare(clientv3.ModRevision(key), "=", expected.GetModRevision())).
			Then(change).
			Else(clientv3.OpGet(key)).
			Commit()
		return err
	})
	switch {
	case err != nil:
		return nil, 0, err
	case done.Succeeded:
		return nil, done.Header.Revision, nil
	default:
		return first(done.Responses[0].GetResponseRange().GetKvs()), 0, nil
	}
}

// owned says whether a record is owner's and of no later generation.
func (b *backend) owned(kv *mvccpb.KeyValue, owner string, generation uint64) bool {
	i := b.decodeInstance(kv)
	return i != nil && i.Owner == owner && i.Generation <= generation
}

// foreign says whether a record is somebody else's, or of a later generation. What cannot be read is nobody's, except
// where a later version of this package may have written it.
func (b *backend) foreign(kv *mvccpb.KeyValue, owner string, generation uint64) bool {
	i, err := b.keys.decodeInstance(kv)
	if err != nil {
		return errors.Is(err, errLaterFormat)
	}
	return i.Owner != owner || i.Generation > generation
}

// decodeInstance reads an instance; it logs what cannot be read, and returns nil.
func (b *backend) decodeInstance(kv *mvccpb.KeyValue) *driver.Instance {
	i, err := b.keys.decodeInstance(kv)
	if err != nil {
		b.skip(kv, err)
		return nil
	}
	return &i
}

// skip logs that what is stored is passed over.
func (b *backend) skip(kv *mvccpb.KeyValue, why error) {
	b.log.Printf("reception: etcd: skipped %q, which is no instance: %v", kv.Key, why)
}

// first returns the first of what was found, nil for nothing.
func first(kvs []*mvccpb.KeyValue) *mvccpb.KeyValue {
	if len(kvs) == 0 {
		return nil
	}
	return kvs[0]
}
