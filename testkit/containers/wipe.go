package containers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

// Wipe starts nodes again with empty data folders, as after the loss of their
// machines, and waits until they serve. Without arguments it takes all nodes: then the
// backend's data begin a new life. The endpoints stay the same. Servers of etcd can
// only be wiped all at once: they refuse a member that has forgotten what it
// has voted for.
func (c *Cluster) Wipe(tb testing.TB, nodes ...*Node) {
	tb.Helper()
	if len(nodes) == 0 {
		nodes = c.nodes
	}
	if len(nodes) < len(c.nodes) && c.settings.backend == BackendEtcd {
		tb.Fatalf("containers: wipe: etcd's servers take no member back that has lost its data; wipe all of them")
	}
	for _, n := range nodes {
		n.needContainer(tb)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), undoLimit)
	defer cancel()
	if err := c.wipe(ctx, nodes); err != nil {
		tb.Fatalf("containers: wipe: %v", err)
	}
}

// wipe removes all of the nodes before it starts one again, which would learn from
// the others what is to be lost.
func (c *Cluster) wipe(ctx context.Context, nodes []*Node) error {
	if err := each(ctx, nodes, (*Node).remove); err != nil {
		return err
	}
	if err := each(ctx, nodes, (*Node).create); err != nil {
		return err
	}
	var errs []error
	for _, n := range nodes {
		errs = append(errs, c.renewPartitions(ctx, n))
	}
	if len(nodes) == len(c.nodes) {
		errs = append(errs, c.kind.setUp(ctx, c.settings, c.nodes[0]))
	}
	return errors.Join(errs...)
}

// each does something with nodes at once.
func each(ctx context.Context, nodes []*Node, do func(*Node, context.Context) error) error {
	errs := make([]error, len(nodes))
	var group sync.WaitGroup
	for i, n := range nodes {
		group.Go(func() {
			if err := do(n, ctx); err != nil {
				errs[i] = fmt.Errorf("node %d: %w", n.index, err)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
