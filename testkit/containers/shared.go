package containers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/testcontainers/testcontainers-go"
)

// start starts a cluster that ends with the test.
func start(tb testing.TB, k kind, backend Backend, opts []testcontainers.ContainerCustomizer) *Cluster {
	tb.Helper()
	needEngine(tb, backend, opts)
	c, err := newCluster(tb.Context(), k, backend, opts)
	if err != nil {
		tb.Fatalf("containers: %v", err)
	}
	c.owner = tb
	tb.Cleanup(func() {
		if err := c.close(context.WithoutCancel(tb.Context())); err != nil {
			tb.Errorf("containers: remove a cluster of %s: %v", backend, err)
		}
	})
	return c
}

// needEngine ends a test that cannot run because there is no engine or no image.
// What goes wrong afterwards is a failure everywhere.
func needEngine(tb testing.TB, backend Backend, opts []testcontainers.ContainerCustomizer) {
	tb.Helper()
	if _, err := dockerEngine(tb.Context()); err != nil {
		unavailable(tb, err)
	}
	s, _, err := readOptions(backend, opts)
	if err != nil {
		tb.Fatalf("containers: %v", err)
	}
	if s.image != "" {
		return
	}
	if _, err := ChooseImage(tb.Context(), backend); err != nil {
		unavailable(tb, err)
	}
}

// sharedClusters are those of this binary.
var sharedClusters struct {
	sync.Mutex
	of map[Backend]*Cluster
}

// share returns the shared cluster of a backend.
func share(tb testing.TB, k kind, backend Backend) *Cluster {
	tb.Helper()
	sharedClusters.Lock()
	defer sharedClusters.Unlock()
	if c, ok := sharedClusters.of[backend]; ok {
		return c
	}
	var c *Cluster
	var err error
	if addr := os.Getenv(products[backend].addrVar); addr != "" {
		c, err = givenCluster(k, backend, addr)
	} else {
		needEngine(tb, backend, nil)
		c, err = newCluster(context.WithoutCancel(tb.Context()), k, backend, nil)
	}
	if err != nil {
		tb.Fatalf("containers: %v", err)
	}
	if sharedClusters.of == nil {
		sharedClusters.of = map[Backend]*Cluster{}
	}
	sharedClusters.of[backend] = c
	return c
}

// givenCluster stands for a server that runs already. Its link can have faults,
// its node cannot.
func givenCluster(k kind, backend Backend, addr string) (*Cluster, error) {
	s, _, err := readOptions(backend, nil)
	if err != nil {
		return nil, err
	}
	c := &Cluster{kind: k, settings: s, partitions: map[*partition]struct{}{}}
	n := &Node{cluster: c, external: addr, addr: addr}
	c.nodes = []*Node{n}
	if c.link, err = c.newLink(); err != nil {
		return nil, fmt.Errorf("%s at %s: %w", backend, addr, err)
	}
	return c, nil
}

// closeShared removes the shared clusters.
func closeShared(ctx context.Context) error {
	sharedClusters.Lock()
	defer sharedClusters.Unlock()
	var errs []error
	for backend, c := range sharedClusters.of {
		errs = append(errs, c.close(ctx))
		delete(sharedClusters.of, backend)
	}
	return errors.Join(errs...)
}

// tls returns a client's configuration for a test.
func (c *Cluster) tls(tb testing.TB) *tls.Config {
	tb.Helper()
	config, err := c.settings.clientTLS()
	if err != nil {
		tb.Fatalf("containers: %v", err)
	}
	return config
}

// anyAddress returns the address of a node that runs.
func (c *Cluster) anyAddress(tb testing.TB) string {
	tb.Helper()
	for _, n := range c.nodes {
		if addr := n.address(); addr != "" {
			return addr
		}
	}
	tb.Fatalf("containers: no %s node is running", c.settings.backend)
	return ""
}
