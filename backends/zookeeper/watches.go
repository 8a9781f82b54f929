package zookeeper

import (
	"context"
	"errors"
	"sync"

	"github.com/go-zookeeper/zk"
)

// watches are what this client has asked the servers to tell it. Each fires once. None can be taken back, so one that
// has not fired is shared by all who want to know the same: a client that opens and closes a watch a thousand times
// leaves one behind.
type watches struct {
	mu    sync.Mutex
	armed map[watchKey]<-chan zk.Event
	prune int // the size at which those that have fired are cleared away
}

// A watchKey tells watches apart.
type watchKey struct {
	kind watchKind
	path string
}

// A watchKind says what of a node is watched.
type watchKind int

const (
	ofNode     watchKind = iota // its data, and its end
	ofChildren                  // its children, and its end
	ofAbsence                   // that it comes to be
)

const pruneAt = 64

func newWatches() *watches {
	return &watches{armed: make(map[watchKey]<-chan zk.Event), prune: pruneAt}
}

// live returns the watch that has not fired, nil if there is none.
func (w *watches) live(key watchKey) <-chan zk.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	watch := w.armed[key]
	if watch != nil && fired(watch) {
		delete(w.armed, key)
		return nil
	}
	return watch
}

// any says whether there is a watch that has not fired.
func (w *watches) any() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, watch := range w.armed {
		if !fired(watch) {
			return true
		}
	}
	return false
}

// fired says whether a watch has. Its channel is closed then, and stays so.
func fired(watch <-chan zk.Event) bool {
	select {
	case <-watch:
		return true
	default:
		return false
	}
}

// arm keeps a watch for others.
func (w *watches) arm(key watchKey, watch <-chan zk.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed[key] = watch
	if len(w.armed) < w.prune {
		return
	}
	for key, watch := range w.armed {
		if fired(watch) {
			delete(w.armed, key)
		}
	}
	w.prune = max(pruneAt, 2*len(w.armed))
}

// content is the data of a node.
type content struct {
	data []byte
	stat *zk.Stat
}

// listing is the children of a node.
type listing struct {
	names []string
	stat  *zk.Stat // nil: there is no such node
}

// revision is the place in history up to which a listing is complete.
func (l *listing) revision() uint64 {
	if l.stat == nil {
		return 0
	}
	return uint64(l.stat.Pzxid)
}

// get reads a node. There being none is zk.ErrNoNode.
func (b *backend) get(ctx context.Context, path string) (*content, error) {
	return do(ctx, b, false, func(context.Context) (*content, error) {
		data, stat, err := b.conn.Get(path)
		return &content{data, stat}, err
	})
}

// list reads the names of a node's children; of a node that is not there, none.
func (b *backend) list(ctx context.Context, path string) (*listing, error) {
	found, err := do(ctx, b, false, func(context.Context) (*listing, error) {
		names, stat, err := b.conn.Children(path)
		return &listing{names, stat}, err
	})
	if errors.Is(err, zk.ErrNoNode) {
		return &listing{}, nil
	}
	return found, surprising("reading "+path, err)
}

// watchNode reads a node, and returns a watch that fires when it changes.
func (b *backend) watchNode(ctx context.Context, path string) (*content, <-chan zk.Event, error) {
	key := watchKey{ofNode, path}
	if watch := b.watches.live(key); watch != nil {
		found, err := b.get(ctx, path)
		return found, watch, err
	}
	type armed struct {
		content
		watch <-chan zk.Event
	}
	found, err := do(ctx, b, false, func(context.Context) (*armed, error) {
		data, stat, watch, err := b.conn.GetW(path)
		if err == nil {
			b.watches.arm(key, watch) // here, for the case that nobody waits any more
		}
		return &armed{content{data, stat}, watch}, err
	})
	if err != nil {
		return nil, nil, err
	}
	return &found.content, found.watch, nil
}

// getNode is watchNode without a watch.
func (b *backend) getNode(ctx context.Context, path string) (*content, <-chan zk.Event, error) {
	found, err := b.get(ctx, path)
	return found, nil, err
}

// watchChildren reads the names of a node's children, and returns a watch that fires when they change. Where there is no
// such node, it fires when there is. With renew the watch is a new one, because the one that there was is in doubt.
func (b *backend) watchChildren(ctx context.Context, path string, renew bool) (*listing, <-chan zk.Event, error) {
	for {
		found, watch, err := b.watchPresent(ctx, path, renew)
		if !errors.Is(err, zk.ErrNoNode) {
			return found, watch, surprising("watching "+path, err)
		}
		watch, err = b.watchAbsence(ctx, path)
		if err != nil || watch != nil {
			return &listing{}, watch, surprising("watching "+path, err)
		}
	}
}

// watchPresent is watchChildren for a node that is there.
func (b *backend) watchPresent(ctx context.Context, path string, renew bool) (*listing, <-chan zk.Event, error) {
	key := watchKey{ofChildren, path}
	if watch := b.watches.live(key); watch != nil && !renew {
		found, err := b.list(ctx, path)
		if err == nil && found.stat == nil {
			err = zk.ErrNoNode
		}
		return found, watch, err
	}
	type armed struct {
		listing
		watch <-chan zk.Event
	}
	found, err := do(ctx, b, false, func(context.Context) (*armed, error) {
		names, stat, watch, err := b.conn.ChildrenW(path)
		if err == nil {
			b.watches.arm(key, watch)
		}
		return &armed{listing{names, stat}, watch}, err
	})
	if err != nil {
		return nil, nil, err
	}
	return &found.listing, found.watch, nil
}

// watchAbsence returns a watch that fires when there is such a node; nil if there is one now.
func (b *backend) watchAbsence(ctx context.Context, path string) (<-chan zk.Event, error) {
	key := watchKey{ofAbsence, path}
	live := b.watches.live(key)
	return do(ctx, b, false, func(context.Context) (<-chan zk.Event, error) {
		if live != nil {
			there, _, err := b.conn.Exists(path)
			if there || err != nil {
				return nil, err
			}
			return live, nil
		}
		there, _, watch, err := b.conn.ExistsW(path)
		if there || err != nil {
			return nil, err
		}
		b.watches.arm(key, watch)
		return watch, nil
	})
}
