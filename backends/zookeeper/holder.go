package zookeeper

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/go-zookeeper/zk"
)

// A holder is a node that names the record which an instance has now. There is one for a Name and ID, at a path that
// follows from them; so who registers an instance need not look for other records of it: its holder cannot be created
// where there is one.
//
// The two change together and in no other way: whoever replaces or removes the record that a holder names deletes that
// record and the holder in one transaction. Names of records are never used twice, so such a transaction fails if
// somebody else was first, and needs to compare nothing. Both live on one session of the servers, and go with it at once.
//
// When somebody has deleted a record by hand, its holder names nothing, and there is nothing left for a transaction to
// fail by. So whoever is to replace such a holder first creates the record that it names, see fill. The interleaving that
// this forbids: two clients find a holder that names nothing; one replaces it, and the other replaces the new one, whose
// record then stays without a holder.
type holder struct {
	record  string // the name of the node; empty if what is there is no name of one
	created int64
}

// holderAt reads a holder; nil if there is none.
func (b *backend) holderAt(ctx context.Context, key instanceKey) (*holder, error) {
	at := b.keys.holder(key)
	found, err := b.get(ctx, at)
	if errors.Is(err, zk.ErrNoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	h := &holder{created: found.stat.Czxid}
	if name := string(found.data); strings.HasPrefix(name, path.Base(at)+separator) {
		h.record = name
	}
	return h, nil
}

// A held is what the holder of an instance amounts to.
type held struct {
	by    *holder         // nil: there is none
	node  *node           // nil: there is no record that it names
	watch <-chan zk.Event // fires when the record changes, if that was asked for
}

// held reads the record that an instance's holder names.
func (b *backend) held(
	ctx context.Context, key instanceKey, read func(context.Context, string) (*content, <-chan zk.Event, error),
) (*held, error) {
	h, err := b.holderAt(ctx, key)
	for {
		if err != nil || h == nil || h.record == "" {
			return &held{by: h}, err
		}
		found, watch, err := read(ctx, b.keys.service(key.name)+"/"+h.record)
		if err == nil {
			return &held{h, b.decodeNode(key.name, h.record, found), watch}, nil
		}
		if !errors.Is(err, zk.ErrNoNode) {
			return nil, err
		}
		before := h
		if h, err = b.holderAt(ctx, key); err == nil && h != nil && *h == *before {
			return &held{by: h}, nil
		}
	}
}

// fill creates the record that a holder names, where that is gone, for a write to replace both. If the holder has changed
// since it was read, the write still has to delete what was created.
func (b *backend) fill(ctx context.Context, w *write, record string) error {
	data, err := encodeInstance(w.instance, w.claim)
	if err != nil {
		return err
	}
	b.mine.sent(w.mark, record)
	w.filled = append(w.filled, record)
	w.replace(record)
	const session, created = 0, 1
	_, err = b.transact(ctx, w.parent, check(b.keys.session(w.mark)),
		&zk.CreateRequest{Path: record, Data: data, Acl: b.acl, Flags: zk.FlagEphemeral})
	switch {
	case partOf(err, zk.ErrNoNode) == session:
		return b.expired(w.mark, err)
	case partOf(err, zk.ErrNodeExists) == created: // somebody else was faster
		w.filled = w.filled[:len(w.filled)-1]
		b.mine.gone(w.mark, record)
		return nil
	default:
		return surprising("writing "+record, err)
	}
}

// empty removes what a write has filled and not replaced.
func (b *backend) empty(w *write) {
	for _, record := range w.filled {
		b.tasks.run(func() {
			b.persist("removing "+record, func() error { return b.remove(b.life, record) })
			b.mine.gone(w.mark, record)
		})
	}
}

// watchHolder returns what fires when a holder changes, goes, or comes to be.
func (b *backend) watchHolder(ctx context.Context, key instanceKey) (<-chan zk.Event, error) {
	at := b.keys.holder(key)
	for {
		_, watch, err := b.watchNode(ctx, at)
		if errors.Is(err, zk.ErrNoNode) {
			watch, err = b.watchAbsence(ctx, at)
		}
		if err != nil || watch != nil {
			return watch, surprising("watching "+at, err)
		}
	}
}

// removeRecord deletes a record and its holder. It reports whether the record was there.
func (b *backend) removeRecord(ctx context.Context, record string) (removed bool, err error) {
	const first, second = 0, 1
	deletes := b.removals(record)
	_, err = b.multi(ctx, deletes...)
	if partOf(err, zk.ErrNoNode) == second { // somebody has deleted the holder by hand
		_, err = b.multi(ctx, deletes[first])
	}
	if partOf(err, zk.ErrNoNode) == first {
		return false, nil
	}
	return err == nil, surprising("removing "+record, err)
}

// removals are the parts of a transaction that removes a record. It fails if the holder is another record's by now,
// because that has removed this one.
func (b *backend) removals(record string) []any {
	return []any{
		&zk.DeleteRequest{Path: record, Version: anyVersion},
		&zk.DeleteRequest{Path: b.keys.holderOf(record), Version: anyVersion},
	}
}
