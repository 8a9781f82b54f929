package containers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// undoLimit bounds a fault and its undoing.
const undoLimit = 2 * time.Minute

// Cluster is one or more servers that belong together.
type Cluster struct {
	kind     kind
	settings *settings
	options  []testcontainers.ContainerCustomizer
	image    Image
	network  string // empty: a single server on the engine's default network
	nodes    []*Node
	link     *Link
	owner    testing.TB // whose end is the cluster's; nil: it is shared

	mu         sync.Mutex
	partitions map[*partition]struct{}
	mending    map[testing.TB]bool // tests that wait for it at their end
}

// kind is what clusters of different backends do differently.
type kind interface {
	run(ctx context.Context, image string, opts ...testcontainers.ContainerCustomizer) (testcontainers.Container, error)
	port(s *settings) string
	probe(s *settings) (probe, error)
	// setUp does what can only be done when all servers serve, through node n.
	setUp(ctx context.Context, s *settings, n *Node) error
	// leads says whether the server at addr, which is node n, is the leader.
	leads(ctx context.Context, s *settings, addr string, n *Node) (bool, error)
}

// newCluster starts the servers and waits until all of them serve. On error
// nothing is left.
func newCluster(ctx context.Context, k kind, backend Backend, opts []testcontainers.ContainerCustomizer) (*Cluster, error) {
	s, _, err := readOptions(backend, opts)
	if err != nil {
		return nil, err
	}
	c := &Cluster{kind: k, settings: s, options: opts, partitions: map[*partition]struct{}{}}
	if err := c.begin(ctx); err != nil {
		return nil, errors.Join(err, c.close(context.WithoutCancel(ctx)))
	}
	return c, nil
}

func (c *Cluster) begin(ctx context.Context) (err error) {
	if c.image, err = chooseFor(ctx, c.settings); err != nil {
		return err
	}
	if err := c.layOut(ctx); err != nil {
		return err
	}
	if c.link, err = c.newLink(); err != nil {
		return err
	}
	if err := c.eachNode(ctx, (*Node).create); err != nil {
		return err
	}
	return c.kind.setUp(ctx, c.settings, c.nodes[0])
}

func chooseFor(ctx context.Context, s *settings) (Image, error) {
	if s.image != "" {
		return Image{Ref: s.image, Source: FromOption}, provide(ctx, s.image)
	}
	return ChooseImage(ctx, s.backend)
}

// layOut makes the nodes and, if there are several, their network.
func (c *Cluster) layOut(ctx context.Context) error {
	total := c.settings.nodes + c.settings.agents
	for i := range total {
		c.nodes = append(c.nodes, &Node{cluster: c, index: i})
	}
	if total == 1 {
		return nil
	}
	engine, err := dockerEngine(ctx)
	if err != nil {
		return err
	}
	if err := startReaper(); err != nil {
		return err
	}
	c.network = "reception-" + uuid.NewString()[:8]
	ips, err := createNetwork(ctx, engine, c.network, total)
	if err != nil {
		return err
	}
	for i, n := range c.nodes {
		n.place = &place{network: c.network, ips: ips, voters: c.settings.nodes, index: i}
	}
	return nil
}

// eachNode does something with all nodes at once.
func (c *Cluster) eachNode(ctx context.Context, do func(*Node, context.Context) error) error {
	return each(ctx, c.nodes, do)
}

// close removes everything that belongs to the cluster.
func (c *Cluster) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, undoLimit)
	defer cancel()
	errs := []error{c.eachNode(ctx, (*Node).remove)}
	if c.link != nil {
		errs = append(errs, c.link.close())
	}
	if c.network != "" {
		engine, err := dockerEngine(ctx)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		_, err = engine.NetworkRemove(ctx, c.network, client.NetworkRemoveOptions{})
		errs = append(errs, ignoreNotFound(err))
	}
	return errors.Join(errs...)
}

// Image returns the image that the servers run from; its Ref is empty for a
// server that the kit has not started.
func (c *Cluster) Image() Image { return c.image }

// Nodes returns all nodes: servers first, then agents.
func (c *Cluster) Nodes() []*Node { return c.nodes }

// Node returns the node with that index, counted from 0.
func (c *Cluster) Node(index int) *Node { return c.nodes[index] }

// Endpoints returns the endpoints of the cluster's own link, as host:port.
func (c *Cluster) Endpoints() []string { return c.link.Endpoints() }

// Link returns the cluster's own link, the way of every client that did not get
// one of its own.
func (c *Cluster) Link() *Link { return c.link }

// NewLink returns another link, for a client whose way has troubles of its own.
// It ends with the test.
func (c *Cluster) NewLink(tb testing.TB) *Link {
	tb.Helper()
	l, err := c.newLink()
	if err != nil {
		tb.Fatalf("containers: %v", err)
	}
	tb.Cleanup(func() {
		if err := l.close(); err != nil {
			tb.Errorf("containers: close a link: %v", err)
		}
	})
	return l
}

// AwaitReady waits until every node that runs serves.
func (c *Cluster) AwaitReady(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), c.settings.startupTimeout)
	defer cancel()
	if err := c.awaitReady(ctx); err != nil {
		tb.Fatalf("containers: %s: %v", c.settings.backend, err)
	}
}

func (c *Cluster) awaitReady(ctx context.Context) error {
	return c.eachNode(ctx, (*Node).awaitReady)
}

// Leader returns the node that leads, after waiting for one if need be. It asks
// the nodes that run, past all links. A leader that has just been isolated may still
// take itself for one.
func (c *Cluster) Leader(tb testing.TB) *Node {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), c.settings.startupTimeout)
	defer cancel()
	var leader *Node
	err := poll(ctx, func(ctx context.Context) error {
		var errs []error
		for _, n := range c.nodes {
			addr := n.address()
			if addr == "" {
				continue
			}
			leads, err := c.kind.leads(ctx, c.settings, addr, n)
			if leads {
				leader = n
				return nil
			}
			errs = append(errs, err)
		}
		return fmt.Errorf("nobody leads: %w", errors.Join(errs...))
	})
	if err != nil {
		tb.Fatalf("containers: %s: %v", c.settings.backend, err)
	}
	return leader
}

// Follower returns a server that does not lead.
func (c *Cluster) Follower(tb testing.TB) *Node {
	tb.Helper()
	leader := c.Leader(tb)
	for _, n := range c.nodes[:c.settings.nodes] {
		if n != leader {
			return n
		}
	}
	tb.Fatalf("containers: a single server has no follower")
	return nil
}
