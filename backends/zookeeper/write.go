package zookeeper

import (
	"context"
	"errors"
	"path"
	"slices"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// A write is a new record for an instance, in the place of what there is.
type write struct {
	key      instanceKey
	instance *driver.Instance
	mark     string // of the session
	parent   string
	name     string     // of the node
	claim    uint64     // 0: it ranks by its creation
	before   instanceAt // where this client has the instance now, if it has it
	created  uint64     // once it has happened

	// What it takes the place of, as far as that is known.
	over   *holder  // nil: there is none
	olds   []string // paths of records
	filled []string // those of them that the write itself has created
	// displaced is whose record it was, if that is somebody else.
	displaced string
	// yields says whether a record that is there must stay. It may be nil: none must.
	yields func(context.Context, *node) error
}

func (w *write) path() string { return w.parent + "/" + w.name }

// newWrite returns a write of an instance.
func (b *backend) newWrite(session driver.SessionID, i *driver.Instance) *write {
	key := instanceKey{i.Service.Name, i.Service.ID}
	return &write{
		key: key, instance: i, mark: markOf(session), parent: b.keys.service(key.name), name: instanceName(key.id),
		before: b.mine.instance(key),
	}
}

// put carries a write out. If this client has the instance already, or nobody has, that is one transaction; if somebody
// else has it, that one fails, and another one follows once it is known who.
func (b *backend) put(ctx context.Context, w *write) error {
	b.mine.sent(w.mark, w.path())
	err := b.try(ctx, w)
	if err != nil {
		if !errors.Is(err, driver.ErrOutcomeUnknown) {
			b.mine.gone(w.mark, w.path())
		}
		b.empty(w)
		return err
	}
	for _, record := range w.filled {
		b.mine.gone(w.mark, record)
	}
	b.mine.wrote(w.key, instanceAt{
		path: w.path(), mark: w.mark, owner: w.instance.Owner, generation: w.instance.Generation,
		claim: rank(w.claim, w.created),
	}, w.before)
	return nil
}

// try runs the transaction of a write until nothing stops it.
func (b *backend) try(ctx context.Context, w *write) error {
	for {
		parts, err := b.parts(w)
		if err != nil {
			return err
		}
		operations := make([]any, 0, len(parts))
		for _, p := range parts {
			operations = append(operations, p.operation)
		}
		results, err := b.multi(ctx, operations...)
		if err == nil {
			w.created = uint64(results[0].Stat.Mzxid)
			return nil
		}
		stopped, is := errors.AsType[*partError](err)
		if !is {
			return err
		}
		on := parts[stopped.part].on[stopped.err]
		if on == nil {
			return surprising("writing "+w.path(), err)
		}
		if err := on(ctx, err); err != nil {
			return err
		}
	}
}

// A part is one of a transaction's operations, and what to do about the errors that it may stop it with; the transaction
// is tried again if that is done.
type part struct {
	operation any
	on        map[error]func(ctx context.Context, err error) error
}

// parts are what makes up a write: the session is there; the holder that is replaced goes, and the new one comes; so does
// the new record; the old ones go. So there is no gap between them. What the session's node is touched for is its answer,
// which tells the transaction's place in history.
func (b *backend) parts(w *write) ([]part, error) {
	data, err := encodeInstance(w.instance, w.claim)
	if err != nil {
		return nil, err
	}
	at := b.keys.holder(w.key)
	type reactions = map[error]func(context.Context, error) error
	look := func(ctx context.Context, _ error) error { return b.look(ctx, w) }
	parents := func(ctx context.Context, _ error) error { return b.createParents(ctx, path.Dir(at), w.parent) }
	parts := []part{{
		operation: &zk.SetDataRequest{Path: b.keys.session(w.mark), Version: anyVersion},
		on:        reactions{zk.ErrNoNode: func(_ context.Context, err error) error { return b.expired(w.mark, err) }},
	}}
	if w.over != nil {
		parts = append(parts, part{
			operation: &zk.DeleteRequest{Path: at, Version: anyVersion},
			on:        reactions{zk.ErrNoNode: look},
		})
	}
	parts = append(parts, part{
		operation: &zk.CreateRequest{Path: at, Data: []byte(w.name), Acl: b.acl, Flags: zk.FlagEphemeral},
		on:        reactions{zk.ErrNodeExists: look, zk.ErrNoNode: parents},
	}, part{
		operation: &zk.CreateRequest{Path: w.path(), Data: data, Acl: b.acl, Flags: zk.FlagEphemeral},
		on:        reactions{zk.ErrNoNode: parents},
	})
	for _, old := range w.olds {
		parts = append(parts, part{
			operation: &zk.DeleteRequest{Path: old, Version: anyVersion},
			on:        reactions{zk.ErrNoNode: func(ctx context.Context, _ error) error { return b.missing(ctx, w, old) }},
		})
	}
	return parts, nil
}

// missing takes an old record that is not there out of a write. If it is the holder's, that has changed.
func (b *backend) missing(ctx context.Context, w *write, old string) error {
	w.olds = slices.DeleteFunc(w.olds, func(other string) bool { return other == old })
	if w.over != nil && w.parent+"/"+w.over.record == old {
		return b.look(ctx, w)
	}
	return nil
}

// look looks what a write takes the place of. It fails if that must stay. An answer that a write was refused comes after
// all that had happened until then, so what is read after it is no older.
func (b *backend) look(ctx context.Context, w *write) error {
	for {
		found, err := b.held(ctx, w.key, b.getNode)
		if err != nil {
			return err
		}
		w.over, w.displaced = found.by, ""
		if found.by == nil || found.by.record == "" {
			return nil
		}
		record := w.parent + "/" + found.by.record
		if found.node == nil {
			if err := b.fill(ctx, w, record); err != nil {
				return err
			}
			continue
		}
		if other := found.node.instance; other != nil {
			if w.yields != nil {
				if err := w.yields(ctx, found.node); err != nil {
					return err
				}
			}
			if other.Owner != w.instance.Owner {
				w.displaced = other.Owner
			}
		}
		w.replace(record)
		return nil
	}
}

// replace has an old record go.
func (w *write) replace(old string) {
	if !slices.Contains(w.olds, old) {
		w.olds = append(w.olds, old)
	}
}
