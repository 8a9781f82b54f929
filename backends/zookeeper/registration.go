package zookeeper

import (
	"context"
	"errors"
	"path"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// Register implements [driver.Backend].
func (b *backend) Register(ctx context.Context, in *driver.RegisterRequest) (*driver.RegisterResponse, error) {
	w := b.newWrite(in.Session, &in.Instance)
	if w.before.path != "" { // or so it is believed; the transaction fails if it is not
		w.over = &holder{record: path.Base(w.before.path)}
		w.replace(w.before.path)
		if w.before.owner != in.Instance.Owner {
			w.displaced = w.before.owner
		}
	}
	if err := b.put(ctx, w); err != nil {
		return nil, err
	}
	return &driver.RegisterResponse{Displaced: w.displaced, Revision: w.created}, nil
}

// Restore implements [driver.Backend]. It writes as if nobody had the instance, and if somebody has, whoever comes first
// by rank stays.
func (b *backend) Restore(ctx context.Context, in *driver.RestoreRequest) (*driver.RestoreResponse, error) {
	w := b.newWrite(in.Session, &in.Instance)
	w.claim = b.mine.owned(w.key, in.Instance.Owner).claim
	if w.before.path != "" && w.before.owner == in.Instance.Owner { // it may be there without its holder
		w.replace(w.before.path)
	}
	w.yields = func(ctx context.Context, n *node) error { return b.yield(ctx, w, n) }
	if err := b.put(ctx, w); err != nil {
		return nil, err
	}
	return &driver.RestoreResponse{Revision: w.created}, nil
}

// yield says whether a record must stay rather than be replaced by one that is restored.
func (b *backend) yield(ctx context.Context, w *write, n *node) error {
	if n.instance.Owner == w.instance.Owner {
		if n.instance.Generation > w.instance.Generation {
			return driver.ErrReplaced
		}
		w.claim = max(w.claim, n.rank)
		return nil
	}
	if n.rank > w.claim {
		return driver.ErrReplaced
	}
	found, err := b.stat(ctx, w.parent)
	if err != nil {
		return err
	}
	if uint64(found.Pzxid) < w.claim { // the servers have lost their data since, and count from below again
		return driver.ErrReplaced
	}
	return nil
}

// stat reads about a node; of one that is not there, nothing.
func (b *backend) stat(ctx context.Context, path string) (*zk.Stat, error) {
	found, err := do(ctx, b, false, func(context.Context) (*zk.Stat, error) {
		_, stat, err := b.conn.Exists(path)
		return stat, err
	})
	if err != nil || found == nil {
		return &zk.Stat{}, err
	}
	return found, nil
}

// Deregister implements [driver.Backend]. It looks first where the record was last written; if that is not there,
// somebody else may have the instance, or a write whose answer was lost has happened.
func (b *backend) Deregister(
	ctx context.Context, in *driver.DeregisterRequest,
) (*driver.DeregisterResponse, error) {
	key := instanceKey{in.Name, in.ID}
	mine := b.mine.instance(key)
	if mine.path != "" && mine.owner == in.Owner && mine.generation <= in.Generation {
		removed, err := b.removePresent(ctx, mine.path)
		if err != nil {
			return nil, err
		}
		b.mine.removed(key, in.Owner, mine.path)
		if removed {
			return &driver.DeregisterResponse{Removed: true}, nil
		}
	}
	for {
		found, err := b.held(ctx, key, b.getNode)
		if err != nil {
			return nil, err
		}
		if !removable(found.node, in) {
			b.mine.removed(key, in.Owner, "")
			return &driver.DeregisterResponse{}, nil
		}
		record := b.keys.service(in.Name) + "/" + found.by.record
		removed, err := b.removeRecord(ctx, record)
		if err != nil {
			return nil, err
		}
		if removed {
			b.mine.removed(key, in.Owner, record)
			return &driver.DeregisterResponse{Removed: true}, nil
		}
	}
}

// removePresent is removeRecord for a record that is likely to be there. It reads that first: while the connection is
// being lost a read fails without a doubt, and of a write nobody knows whether it has happened.
func (b *backend) removePresent(ctx context.Context, record string) (removed bool, err error) {
	_, err = b.get(ctx, record)
	if errors.Is(err, zk.ErrNoNode) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return b.removeRecord(ctx, record)
}

// removable says whether a record is one to be deregistered.
func removable(n *node, in *driver.DeregisterRequest) bool {
	return n != nil && n.instance != nil && n.instance.Owner == in.Owner && n.instance.Generation <= in.Generation
}
