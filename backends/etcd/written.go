package etcd

import (
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// written are the records that this client has registered and does not watch yet. Who registers a record watches it
// next, and with what it has just written that takes one request instead of two.
type written struct {
	mu     sync.Mutex
	latest map[string]*mvccpb.KeyValue // by key
}

// note remembers a record as it was written.
func (w *written) note(kv *mvccpb.KeyValue) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.latest == nil {
		w.latest = make(map[string]*mvccpb.KeyValue)
	}
	w.latest[string(kv.Key)] = kv
}

// take returns what was noted last under key, and forgets it; nil if there is nothing.
func (w *written) take(key string) *mvccpb.KeyValue {
	w.mu.Lock()
	defer w.mu.Unlock()
	kv := w.latest[key]
	delete(w.latest, key)
	return kv
}
