package fencetest

import (
	"context"
	"encoding/json"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/fence"
)

// etcdStore keeps a value and its token in a key of etcd, compared by the key's mod revision.
type etcdStore[V any] struct {
	client *clientv3.Client
	key    string
}

// Load implements [fence.Store].
func (s *etcdStore[V]) Load(ctx context.Context) (fence.Record[V], error) {
	var record fence.Record[V]
	got, err := s.client.Get(ctx, s.key) // which is linearizable
	if err != nil || len(got.Kvs) == 0 {
		return record, err
	}
	err = json.Unmarshal(got.Kvs[0].Value, &record)
	record.Version = uint64(got.Kvs[0].ModRevision)
	return record, err
}

// Swap implements [fence.Store].
func (s *etcdStore[V]) Swap(ctx context.Context, old, next fence.Record[V]) (bool, error) {
	value, err := json.Marshal(next)
	if err != nil {
		return false, err
	}
	done, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(s.key), "=", int64(old.Version))). // 0: there is no such key
		Then(clientv3.OpPut(s.key, string(value))).
		Commit()
	if err != nil {
		return false, err
	}
	return done.Succeeded, nil
}
