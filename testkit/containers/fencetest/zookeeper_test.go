package fencetest

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/fence"
)

// zookeeperStore keeps a value and its token in a node of ZooKeeper, compared by the node's version. The client knows no
// contexts: its calls end with the connection.
type zookeeperStore[V any] struct {
	conn *zk.Conn
	path string
}

// Load implements [fence.Store].
func (s *zookeeperStore[V]) Load(context.Context) (fence.Record[V], error) {
	var record fence.Record[V]
	// A server answers reads from its own copy. The sync makes that as new as all that has happened before; a Swap that
	// is based on an old copy fails, so that it is for Claim that this matters.
	if _, err := s.conn.Sync(s.path); err != nil && !errors.Is(err, zk.ErrNoNode) {
		return record, err
	}
	value, stat, err := s.conn.Get(s.path)
	if errors.Is(err, zk.ErrNoNode) {
		return record, nil
	}
	if err != nil {
		return record, err
	}
	err = json.Unmarshal(value, &record)
	record.Version = uint64(stat.Version) + 1 // a node's first version is 0
	return record, err
}

// Swap implements [fence.Store].
func (s *zookeeperStore[V]) Swap(_ context.Context, old, next fence.Record[V]) (bool, error) {
	value, err := json.Marshal(next)
	if err != nil {
		return false, err
	}
	if old.Version == 0 {
		_, err = s.conn.Create(s.path, value, 0, zk.WorldACL(zk.PermAll))
	} else {
		_, err = s.conn.Set(s.path, value, int32(old.Version-1))
	}
	if errors.Is(err, zk.ErrBadVersion) || errors.Is(err, zk.ErrNodeExists) || errors.Is(err, zk.ErrNoNode) {
		return false, nil
	}
	return err == nil, err
}
