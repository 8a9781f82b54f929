package fencetest

import (
	"context"
	"encoding/json"

	consul "github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/fence"
)

// consulStore keeps a value and its token in a key of Consul, compared by the key's ModifyIndex.
type consulStore[V any] struct {
	client *consul.Client
	key    string
}

// Load implements [fence.Store].
func (s *consulStore[V]) Load(ctx context.Context) (fence.Record[V], error) {
	var record fence.Record[V]
	// Without RequireConsistent a server that has just lost the lead may answer from the past.
	pair, _, err := s.client.KV().Get(s.key, (&consul.QueryOptions{RequireConsistent: true}).WithContext(ctx))
	if err != nil || pair == nil {
		return record, err
	}
	err = json.Unmarshal(pair.Value, &record)
	record.Version = pair.ModifyIndex
	return record, err
}

// Swap implements [fence.Store].
func (s *consulStore[V]) Swap(ctx context.Context, old, next fence.Record[V]) (bool, error) {
	value, err := json.Marshal(next)
	if err != nil {
		return false, err
	}
	pair := &consul.KVPair{Key: s.key, Value: value, ModifyIndex: old.Version} // 0: only if there is no such key
	swapped, _, err := s.client.KV().CAS(pair, (&consul.WriteOptions{}).WithContext(ctx))
	return swapped, err
}
