package zookeeper

import (
	"context"
	"errors"
	"path"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// OpenWatchRegistration implements [driver.Backend].
func (b *backend) OpenWatchRegistration(
	ctx context.Context, in *driver.WatchRegistrationRequest,
) (driver.InstanceStream, error) {
	key := instanceKey{in.Name, in.ID}
	find := func(ctx context.Context, again bool) (*glance[driver.Instance], error) {
		return b.lookAt(ctx, key, again)
	}
	sameKey := func(*driver.Instance, *driver.Instance) bool { return true }
	return openStream(ctx, &stream[driver.Instance]{b: b, look: looksAt(find, sameKey, sameWrite)})
}

// lookAt looks which record an instance has. It watches the node of that record, and not the whole list, so that it
// costs nothing when others come and go: whoever takes the instance over deletes that node. As long as this client's own
// write is there, it looks no further, except when there is doubt. A record that is there without its holder is none: its
// owner is to restore it, for others to find it when they take it over.
func (b *backend) lookAt(ctx context.Context, key instanceKey, again bool) (*glance[driver.Instance], error) {
	if mine := b.mine.instance(key); mine.path != "" && !again {
		found, watch, err := b.watchNode(ctx, mine.path)
		if err == nil {
			return glanceOf(b.decodeNode(key.name, path.Base(mine.path), found), watch), nil
		}
		if !errors.Is(err, zk.ErrNoNode) {
			return nil, err
		}
	}
	found, err := b.held(ctx, key, b.watchNode)
	if err != nil {
		return nil, err
	}
	if found.node != nil {
		return glanceOf(found.node, found.watch), nil
	}
	watch, err := b.watchHolder(ctx, key)
	if err != nil {
		return nil, err
	}
	if found, err = b.held(ctx, key, b.watchNode); err != nil {
		return nil, err
	}
	if found.node != nil {
		watch = found.watch
	}
	return glanceOf(found.node, watch), nil
}

// glanceOf is a record, and what fires when it is not that any more.
func glanceOf(n *node, watch <-chan zk.Event) *glance[driver.Instance] {
	if n == nil || n.instance == nil {
		return &glance[driver.Instance]{watch: watch}
	}
	return &glance[driver.Instance]{record: n.instance, revision: n.instance.Created, watch: watch}
}
