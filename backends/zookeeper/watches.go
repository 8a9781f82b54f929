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
	armed map[watchKey]armedWatch
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

// An armedWatch is a watch, and what was read when it was asked for.
type armedWatch struct {
	fires    <-chan zk.Event // nil: there is none
	revision uint64
}

const pruneAt = 64

func newWatches() *watches {
	return &watches{armed: make(map[watchKey]armedWatch), prune: pruneAt}
}

// live returns the watch that has not fired, if there is one.
func (w *watches) live(key watchKey) armedWatch {
	w.mu.Lock()
	defer w.mu.Unlock()
	watch := w.armed[key]
	if watch.fires != nil && fired(watch.fires) {
		delete(w.armed, key)
		return armedWatch{}
	}
	return watch
}

// any says whether there is a watch that has not fired.
func (w *watches) any() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, watch := range w.armed {
		if !fired(watch.fires) {
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
func (w *watches) arm(key watchKey, fires <-chan zk.Event, revision uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed[key] = armedWatch{fires, revision}
	if len(w.armed) < w.prune {
		return
	}
	for key, watch := range w.armed {
		if fired(watch.fires) {
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
	if live := b.watches.live(key); live.fires != nil {
		found, err := b.get(ctx, path)
		return found, live.fires, err
	}
	type armed struct {
		content
		watch <-chan zk.Event
	}
	found, err := do(ctx, b, false, func(context.Context) (*armed, error) {
		data, stat, watch, err := b.conn.GetW(path)
		if err == nil {
			b.watches.arm(key, watch, 0) // here, for the case that nobody waits any more
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
// such node, it fires when there is.
func (b *backend) watchChildren(ctx context.Context, path string) (*listing, <-chan zk.Event, error) {
	for {
		found, watch, err := b.watchPresent(ctx, path)
		if !errors.Is(err, zk.ErrNoNode) {
			return found, watch, surprising("watching "+path, err)
		}
		watch, err = b.watchAbsence(ctx, path)
		if err != nil || watch != nil {
			return &listing{}, watch, surprising("watching "+path, err)
		}
	}
}

// getChildren is watchChildren without a watch.
func (b *backend) getChildren(ctx context.Context, path string) (*listing, <-chan zk.Event, error) {
	found, err := b.list(ctx, path)
	return found, nil, err
}

// watchPresent is watchChildren for a node that is there. A server tells of a change before it shows it, so a watch that
// has not fired although there is one is lost, and another one is asked for; only then, because the vendor's client keeps
// both until they fire.
func (b *backend) watchPresent(ctx context.Context, path string) (*listing, <-chan zk.Event, error) {
	key := watchKey{ofChildren, path}
	if live := b.watches.live(key); live.fires != nil {
		found, err := b.list(ctx, path)
		if err == nil && found.stat == nil {
			err = zk.ErrNoNode
		}
		if err != nil || found.revision() == live.revision || fired(live.fires) {
			return found, live.fires, err
		}
	}
	type armed struct {
		listing
		watch <-chan zk.Event
	}
	found, err := do(ctx, b, false, func(context.Context) (*armed, error) {
		names, stat, watch, err := b.conn.ChildrenW(path)
		found := &armed{listing{names, stat}, watch}
		if err == nil {
			b.watches.arm(key, watch, found.revision())
		}
		return found, err
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
		if live.fires != nil {
			there, _, err := b.conn.Exists(path)
			if there || err != nil {
				return nil, err
			}
			return live.fires, nil
		}
		there, _, watch, err := b.conn.ExistsW(path)
		if there || err != nil {
			return nil, err
		}
		b.watches.arm(key, watch, 0)
		return watch, nil
	})
}
