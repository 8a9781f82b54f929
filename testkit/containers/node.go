package containers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/go-reception/sdk/testkit/containers/internal/relay"
)

// Node is one server of a [Cluster].
type Node struct {
	cluster  *Cluster
	index    int
	place    *place
	external string // the address of a server that the kit has not started

	mu        sync.Mutex
	container testcontainers.Container
	addr      string // the mapped port; empty while the server is down
	paused    bool
	relays    map[*relay.Relay]struct{}
}

// Index returns the node's index in its cluster.
func (n *Node) Index() int { return n.index }

// String names the node in messages.
func (n *Node) String() string { return fmt.Sprintf("%s node %d", n.cluster.settings.backend, n.index) }

// Container returns the node's container, or nil for a server that the kit has
// not started. It is another one after [Cluster.Wipe].
func (n *Node) Container() testcontainers.Container {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.container
}

// address returns the server's own address, past all links; empty while it is
// down or paused.
func (n *Node) address() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paused {
		return ""
	}
	return n.addr
}

// create starts a new container for the node and lets the links lead to it.
func (n *Node) create(ctx context.Context) error {
	opts := slices.Concat(n.cluster.options, []testcontainers.ContainerCustomizer{Option(func(s *settings) error {
		s.member, s.place, s.advertised = true, n.place, n.cluster.link.relays[n.index].Addr()
		return nil
	})})
	c, err := n.cluster.kind.run(ctx, n.cluster.image.Ref, opts...)
	n.mu.Lock()
	n.container = c
	n.mu.Unlock()
	if err != nil {
		return err
	}
	return n.connect(ctx)
}

// connect lets the links lead to the server's present port.
func (n *Node) connect(ctx context.Context) error {
	c := n.Container()
	host, err := c.Host(ctx)
	if err != nil {
		return err
	}
	port, err := c.MappedPort(ctx, n.cluster.kind.port(n.cluster.settings))
	if err != nil {
		return err
	}
	return n.point(net.JoinHostPort(host, port.Port()))
}

// point lets the links lead to addr, or nowhere.
func (n *Node) point(addr string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addr = addr
	var errs []error
	for r := range n.relays {
		errs = append(errs, r.SetUpstream(addr))
	}
	return errors.Join(errs...)
}

// addRelay puts a relay before the node.
func (n *Node) addRelay(r *relay.Relay) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.relays == nil {
		n.relays = map[*relay.Relay]struct{}{}
	}
	n.relays[r] = struct{}{}
	return r.SetUpstream(n.addr)
}

func (n *Node) removeRelay(r *relay.Relay) error {
	n.mu.Lock()
	delete(n.relays, r)
	n.mu.Unlock()
	return r.Close()
}

// remove removes the node's container with its data.
func (n *Node) remove(ctx context.Context) error {
	err := n.point("")
	c := n.Container()
	if c == nil {
		return err
	}
	engine, engineErr := dockerEngine(ctx)
	if engineErr != nil {
		return errors.Join(err, engineErr)
	}
	return errors.Join(err, removeContainer(ctx, engine, c.GetContainerID()))
}

// start starts the node's container again. It does not wait until the server
// serves: that may take other nodes.
func (n *Node) start(ctx context.Context) error {
	engine, err := dockerEngine(ctx)
	if err != nil {
		return err
	}
	_, err = engine.ContainerStart(ctx, n.Container().GetContainerID(), client.ContainerStartOptions{})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if err := n.connect(ctx); err != nil {
		return err
	}
	return n.cluster.renewPartitions(ctx, n)
}

// awaitReady waits until the server serves, unless it is down.
func (n *Node) awaitReady(ctx context.Context) error {
	check, err := n.cluster.kind.probe(n.cluster.settings)
	if err != nil {
		return err
	}
	err = poll(ctx, func(ctx context.Context) error {
		addr := n.address()
		if addr == "" {
			return nil
		}
		return check(ctx, addr)
	})
	if c := n.Container(); err != nil && c != nil {
		err = fmt.Errorf("%w%s", err, lastLog(ctx, c.GetContainerID()))
	}
	return err
}

// AwaitReady waits until the server serves. It must be running.
func (n *Node) AwaitReady(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), n.cluster.settings.startupTimeout)
	defer cancel()
	if err := n.awaitReady(ctx); err != nil {
		tb.Fatalf("containers: %s: %v", n, err)
	}
}
