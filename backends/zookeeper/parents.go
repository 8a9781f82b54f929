package zookeeper

import (
	"context"
	"errors"

	"github.com/go-zookeeper/zk"
)

// createParents creates nodes and all above them that are not there, at the same time. Those of single services and
// elections are containers, which the servers clear away some time after they have become empty.
func (b *backend) createParents(ctx context.Context, paths ...string) error {
	return inParallel(paths, func(path string) error { return b.createPath(ctx, path) })
}

// createPath creates a node and all above it that are not there.
func (b *backend) createPath(ctx context.Context, path string) error {
	err := b.createParent(ctx, path)
	if errors.Is(err, zk.ErrNoNode) {
		err = b.createAncestors(ctx, path)
	}
	return surprising("creating "+path, err)
}

// createAncestors creates a node and all above it, from the top down. It asks before it creates, because a user need not
// be allowed to create what is there.
func (b *backend) createAncestors(ctx context.Context, path string) error {
	for end := 1; end <= len(path); end++ {
		if end < len(path) && path[end] != '/' {
			continue
		}
		ancestor := path[:end]
		there, err := do(ctx, b, false, func(context.Context) (bool, error) {
			there, _, err := b.conn.Exists(ancestor)
			return there, err
		})
		if err == nil && !there {
			err = b.createParent(ctx, ancestor)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// createParent creates one node. It may be there already.
func (b *backend) createParent(ctx context.Context, path string) error {
	_, err := do(ctx, b, true, func(context.Context) (string, error) {
		if b.keys.empties(path) {
			return b.conn.CreateContainer(path, nil, zk.FlagContainer, b.acl)
		}
		return b.conn.Create(path, nil, zk.FlagPersistent, b.acl)
	})
	if errors.Is(err, zk.ErrNodeExists) {
		return nil
	}
	return err
}
