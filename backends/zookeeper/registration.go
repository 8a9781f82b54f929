package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// A write is a new node for an instance.
type write struct {
	key     instanceKey
	owner   string
	mark    string // of the session
	parent  string
	name    string // of the node
	data    []byte
	claim   uint64     // 0: it ranks by its creation
	before  instanceAt // where this client has the instance now, if it has it
	created uint64     // once it has happened
}

func (w *write) path() string { return w.parent + "/" + w.name }

// node is what has been written, for comparison with others.
func (w *write) node() *node {
	return &node{name: w.name, rank: rank(w.claim, w.created), instance: &driver.Instance{Owner: w.owner, Created: w.created}}
}

// newWrite returns a write of an instance.
func (b *backend) newWrite(session driver.SessionID, i *driver.Instance, claim uint64) (*write, error) {
	data, err := encodeInstance(i, claim)
	if err != nil {
		return nil, err
	}
	key := instanceKey{i.Service.Name, i.Service.ID}
	return &write{
		key: key, owner: i.Owner, mark: markOf(session), parent: b.keys.service(i.Service.Name),
		name: instanceName(i.Service.ID), data: data, claim: claim, before: b.mine.instance(key),
	}, nil
}

// put carries a write out, in one transaction: the session is there, the new node is created, and the one before is
// deleted, so that there is no gap between the two. What the session's node is touched for is its answer, which tells the
// transaction's place in history.
func (b *backend) put(ctx context.Context, w *write) error {
	b.mine.sent(w.mark, w.path())
	operations := []any{
		&zk.SetDataRequest{Path: b.keys.session(w.mark), Version: anyVersion},
		&zk.CreateRequest{Path: w.path(), Data: w.data, Acl: b.acl, Flags: zk.FlagEphemeral},
	}
	const session, deletes = 0, 2
	if w.before.path != "" {
		operations = append(operations, &zk.DeleteRequest{Path: w.before.path, Version: anyVersion})
	}
	results, err := b.transact(ctx, w.parent, operations...)
	if partOf(err, zk.ErrNoNode) == deletes {
		results, err = b.transact(ctx, w.parent, operations[:deletes]...)
	}
	if err != nil {
		if !errors.Is(err, driver.ErrOutcomeUnknown) {
			b.mine.gone(w.mark, w.path())
		}
		if partOf(err, zk.ErrNoNode) == session {
			return b.expired(w.mark, err)
		}
		return surprising("writing "+w.path(), err)
	}
	w.created = uint64(results[session].Stat.Mzxid)
	now := instanceAt{path: w.path(), mark: w.mark, owner: w.owner, claim: w.node().rank}
	b.mine.wrote(w.key, now, w.before)
	return nil
}

// Register implements [driver.Backend]. What the record replaces is looked for while it is written, so that it takes no
// longer than the write; it is removed afterwards.
func (b *backend) Register(ctx context.Context, in *driver.RegisterRequest) (*driver.RegisterResponse, error) {
	w, err := b.newWrite(in.Session, &in.Instance, 0)
	if err != nil {
		return nil, err
	}
	listed := make(chan []string, 1)
	looking, cancel := context.WithCancel(ctx)
	defer cancel()
	begun := make(chan struct{})
	if !b.tasks.run(func() { close(begun); listed <- b.glance(looking, w.parent) }) {
		return nil, driver.ErrClosed
	}
	<-begun // servers answer in order, and a list sooner than a write: it is there by then if it is asked for first
	if err := b.put(ctx, w); err != nil {
		return nil, err
	}
	names := <-listed
	losers, err := b.losers(ctx, w, names)
	if err == nil {
		err = b.removeAll(ctx, pathsOf(w.parent, losers))
	}
	if err != nil || !slices.Contains(names, w.name) { // what was seen may be from before somebody else's write
		b.tasks.run(func() { b.sweep(w) })
	}
	return &driver.RegisterResponse{Displaced: w.displaced(losers), Revision: w.created}, nil
}

// glance reads the names of a node's children, if that is possible.
func (b *backend) glance(ctx context.Context, path string) []string {
	if found, err := b.list(ctx, path); err == nil {
		return found.names
	}
	return nil
}

// displaced is the owner of the record that the write has replaced, if that is another one.
func (w *write) displaced(losers []*node) string {
	if last := standing(losers); last != nil && last.instance.Owner != w.owner {
		return last.instance.Owner
	}
	if w.before.owner != w.owner && w.before.path != "" {
		return w.before.owner
	}
	return ""
}

// losers are the writes of the same instance, among names, that this one outranks.
func (b *backend) losers(ctx context.Context, w *write, names []string) ([]*node, error) {
	rivals := slices.DeleteFunc(siblings(names, w.key.id), func(name string) bool {
		return name == w.name || w.parent+"/"+name == w.before.path
	})
	nodes, _, err := b.readNodes(ctx, w.key.name, rivals)
	var losers []*node
	for _, n := range nodes {
		if n != nil && n.instance != nil && !n.outranks(w.node()) {
			losers = append(losers, n)
		}
	}
	return losers, err
}

// sweep removes what a write has replaced, for as long as that takes. If the write was replaced itself by then, that is
// the affair of whoever has done it.
func (b *backend) sweep(w *write) {
	b.persist("removing what "+w.path()+" replaces", func() error {
		found, err := b.list(b.life, w.parent)
		if err != nil || !slices.Contains(found.names, w.name) {
			return err
		}
		losers, err := b.losers(b.life, w, found.names)
		if err != nil {
			return err
		}
		return b.removeAll(b.life, pathsOf(w.parent, losers))
	})
}

// pathsOf returns the paths of nodes below parent.
func pathsOf(parent string, nodes []*node) []string {
	paths := make([]string, 0, len(nodes))
	for _, n := range nodes {
		paths = append(paths, parent+"/"+n.name)
	}
	return paths
}

// Restore implements [driver.Backend]. It reads what stands, writes, and looks whether somebody has registered the
// instance in between: such a record outranks the restored one for every reader, and the restored one is taken back.
func (b *backend) Restore(ctx context.Context, in *driver.RestoreRequest) (*driver.RestoreResponse, error) {
	claim, err := b.judge(ctx, &in.Instance)
	if err != nil {
		return nil, err
	}
	w, err := b.newWrite(in.Session, &in.Instance, claim)
	if err != nil {
		return nil, err
	}
	if err := b.put(ctx, w); err != nil {
		return nil, err
	}
	nodes, _, err := b.readInstance(ctx, w.key)
	if err != nil {
		return nil, unverified(err)
	}
	nodes = slices.DeleteFunc(nodes, func(n *node) bool { return n.name == w.name })
	if first := standing(nodes); first != nil && first.outranks(w.node()) && first.instance.Owner != w.owner {
		if err := b.remove(ctx, w.path()); err != nil {
			return nil, unverified(err)
		}
		b.mine.removed(w.key, w.owner, []string{w.path()})
		return nil, driver.ErrReplaced
	}
	losers := slices.DeleteFunc(nodes, func(n *node) bool { return n.outranks(w.node()) })
	if err := b.removeAll(ctx, pathsOf(w.parent, losers)); err != nil {
		return nil, unverified(err)
	}
	return &driver.RestoreResponse{Revision: w.created}, nil
}

// unverified is the error of a write that has happened, although it is not known yet whether it may stand.
func unverified(err error) error {
	if errors.Is(err, driver.ErrOutcomeUnknown) {
		return err
	}
	return fmt.Errorf("%w: it is written and not verified: %w", driver.ErrOutcomeUnknown, err)
}

// judge says which rank a restored record may claim, or that another one stands.
func (b *backend) judge(ctx context.Context, i *driver.Instance) (claim uint64, err error) {
	key := instanceKey{i.Service.Name, i.Service.ID}
	nodes, revision, err := b.readInstance(ctx, key)
	if err != nil {
		return 0, err
	}
	claim = b.mine.owned(key, i.Owner).claim
	if revision > 0 && revision < claim {
		claim = 0 // the servers have lost their data since, and count from below again
	}
	if first := standing(nodes); first != nil {
		own := first.instance.Owner == i.Owner
		if own && first.instance.Generation > i.Generation || !own && first.rank > claim {
			return 0, driver.ErrReplaced
		}
		if own {
			claim = max(claim, first.rank)
		}
	}
	if claim == 0 {
		claim = max(revision, 1) // it was absent then, and whoever has registered since outranks it
	}
	return claim, nil
}

// Deregister implements [driver.Backend]. With the record goes what it has replaced, so that nothing comes to light
// beneath it.
func (b *backend) Deregister(
	ctx context.Context, in *driver.DeregisterRequest,
) (*driver.DeregisterResponse, error) {
	key := instanceKey{in.Name, in.ID}
	for {
		nodes, _, err := b.readInstance(ctx, key)
		if err != nil {
			return nil, err
		}
		removable := func(n *node) bool {
			return n.instance.Owner == in.Owner && n.instance.Generation <= in.Generation
		}
		first := standing(nodes)
		removed := first != nil && removable(first)
		if !removed {
			nodes = slices.DeleteFunc(nodes, func(n *node) bool { return !removable(n) })
		}
		paths := pathsOf(b.keys.service(in.Name), nodes)
		again, err := b.removeTogether(ctx, paths)
		if err != nil {
			return nil, err
		}
		if again {
			continue
		}
		b.mine.removed(key, in.Owner, paths)
		return &driver.DeregisterResponse{Removed: removed}, nil
	}
}

// removeTogether deletes nodes in one transaction. It reports whether one of them was gone, so that none was deleted.
func (b *backend) removeTogether(ctx context.Context, paths []string) (again bool, err error) {
	if len(paths) == 0 {
		return false, nil
	}
	deletes := make([]any, 0, len(paths))
	for _, path := range paths {
		deletes = append(deletes, &zk.DeleteRequest{Path: path, Version: anyVersion})
	}
	_, err = b.multi(ctx, deletes...)
	if errors.Is(err, zk.ErrNoNode) {
		return true, nil
	}
	return false, surprising("removing an instance", err)
}
