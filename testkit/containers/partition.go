package containers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/go-reception/sdk/testkit/containers/internal/offline"
)

// partition keeps a node apart from others. Each side has neighbour entries for the
// other that lead nowhere, so both directions are lost without a word: that is
// how a broken network behaves, and connections go on when it is mended.
type partition struct {
	node   *Node
	others []*Node
}

// between says whether the partition keeps these two apart.
func (p *partition) between(a, b *Node) bool {
	return (p.node == a && slices.Contains(p.others, b)) || (p.node == b && slices.Contains(p.others, a))
}

// Partition keeps two nodes apart from each other, and from nobody else: clients
// still reach both. It lasts over restarts of the nodes. It needs a network, so
// a cluster of more than one node.
func (c *Cluster) Partition(tb testing.TB, a, b *Node) (undo func()) {
	tb.Helper()
	return c.partition(tb, fmt.Sprintf("partition %s from %s", a, b), &partition{a, []*Node{b}})
}

// Isolate keeps a node apart from all others; clients still reach it.
func (c *Cluster) Isolate(tb testing.TB, n *Node) (undo func()) {
	tb.Helper()
	others := slices.DeleteFunc(slices.Clone(c.nodes), func(other *Node) bool { return other == n })
	return c.partition(tb, fmt.Sprintf("isolate %s", n), &partition{n, others})
}

func (c *Cluster) partition(tb testing.TB, what string, p *partition) func() {
	tb.Helper()
	if c.network == "" {
		tb.Fatalf("containers: %s: the cluster has only one node", what)
	}
	undo := func(ctx context.Context) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.partitions, p)
		return c.applyPartitions(ctx, append(p.others, p.node)...)
	}
	do := func(ctx context.Context) error {
		c.mu.Lock()
		c.partitions[p] = struct{}{}
		err := c.applyPartitions(ctx, append(p.others, p.node)...)
		c.mu.Unlock()
		if err != nil {
			err = errors.Join(err, undo(ctx))
		}
		return err
	}
	return c.fault(tb, what, do, undo)
}

// renewPartitions makes a node's partitions again: they go with its network
// namespace when it stops.
func (c *Cluster) renewPartitions(ctx context.Context, n *Node) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.partitions) == 0 {
		return nil
	}
	return c.applyPartitions(ctx, n)
}

// applyPartitions makes the entries of some nodes what the partitions ask for,
// on all of them at once. It holds mu.
func (c *Cluster) applyPartitions(ctx context.Context, nodes ...*Node) error {
	errs := make([]error, len(nodes))
	var group sync.WaitGroup
	for i, n := range nodes {
		command := []string{"only"}
		for _, other := range c.nodes {
			for p := range c.partitions {
				if p.between(n, other) {
					command = append(command, other.place.ip())
					break
				}
			}
		}
		group.Go(func() { errs[i] = runPartition(ctx, n, command) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// runPartition runs the partition program in a node's network namespace, in a
// container of its own: that works while the node is paused, too. A node that is
// down has no namespace and needs nothing.
func runPartition(ctx context.Context, n *Node, command []string) error {
	n.mu.Lock()
	down := n.addr == ""
	n.mu.Unlock()
	if down {
		return nil
	}
	engine, err := dockerEngine(ctx)
	if err != nil {
		return err
	}
	recipe := offline.Partition()
	if err := offline.Ensure(ctx, engine, recipe, func(string, ...any) {}); err != nil {
		return err
	}
	created, err := engine.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{Image: recipe.Ref(), Cmd: command, Labels: labels()},
		HostConfig: &container.HostConfig{
			NetworkMode: container.NetworkMode("container:" + n.Container().GetContainerID()),
			CapDrop:     []string{"ALL"}, CapAdd: []string{"NET_ADMIN"},
		},
	})
	if err != nil {
		return fmt.Errorf("partition of %s: %w", n, err)
	}
	err = runToEnd(ctx, engine, created.ID)
	return errors.Join(err, removeContainer(context.WithoutCancel(ctx), engine, created.ID))
}

// runToEnd runs a container until it ends, and reports what it said if it failed.
func runToEnd(ctx context.Context, engine client.APIClient, id string) error {
	ended := engine.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	if _, err := engine.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return err
	}
	select {
	case err := <-ended.Error:
		return err
	case result := <-ended.Result:
		if result.StatusCode != 0 {
			return fmt.Errorf("exit code %d%s", result.StatusCode, lastLog(ctx, id))
		}
		return nil
	}
}
