package containers

import (
	"context"
	"crypto/tls"
	"fmt"
	"testing"

	"github.com/testcontainers/testcontainers-go"
)

// EtcdCluster is one or more etcd servers.
type EtcdCluster struct{ *Cluster }

// StartEtcd starts an etcd server, or with [WithNodes] several, for one test, and
// returns when all of them serve.
func StartEtcd(tb testing.TB, opts ...testcontainers.ContainerCustomizer) *EtcdCluster {
	tb.Helper()
	return &EtcdCluster{start(tb, etcdKind{}, BackendEtcd, opts)}
}

// SharedEtcd returns the etcd server that all tests of this binary share, and
// starts it for the first of them; see [Main].
func SharedEtcd(tb testing.TB) *EtcdCluster {
	tb.Helper()
	return &EtcdCluster{share(tb, etcdKind{}, BackendEtcd)}
}

// URLs returns the endpoints of the cluster's own link as URLs.
func (c *EtcdCluster) URLs() []string {
	var urls []string
	for _, endpoint := range c.Endpoints() {
		urls = append(urls, c.settings.scheme()+"://"+endpoint)
	}
	return urls
}

// TLS returns what a client needs if the servers speak TLS, else nil.
func (c *EtcdCluster) TLS(tb testing.TB) *tls.Config {
	tb.Helper()
	return c.tls(tb)
}

// Compact drops the servers' history up to now, so that watches which have
// fallen behind must read everything anew. It returns the revision of now.
func (c *EtcdCluster) Compact(tb testing.TB) int64 {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), engineLimit)
	defer cancel()
	api, err := newEtcdAPI(ctx, c.settings, c.anyAddress(tb))
	if err != nil {
		tb.Fatalf("containers: compact: %v", err)
	}
	revision, err := api.compact(ctx)
	if err != nil {
		tb.Fatalf("containers: compact: %v", err)
	}
	return revision
}

// etcdKind is what is particular to clusters of etcd.
type etcdKind struct{}

func (etcdKind) run(ctx context.Context, image string, opts ...testcontainers.ContainerCustomizer) (
	testcontainers.Container, error,
) {
	c, err := RunEtcd(ctx, image, opts...)
	if c == nil {
		return nil, err
	}
	return c, err
}

func (etcdKind) port(*settings) string { return etcdPort }

func (etcdKind) probe(s *settings) (probe, error) { return etcdProbe(s) }

func (etcdKind) leads(ctx context.Context, s *settings, addr string, _ *Node) (bool, error) {
	api, err := newEtcdAPI(ctx, s, addr)
	if err != nil {
		return false, err
	}
	return api.leads(ctx)
}

func (etcdKind) setUp(ctx context.Context, s *settings, n *Node) error {
	if s.password == "" {
		return nil
	}
	if err := enableEtcdAuth(ctx, s, n.address()); err != nil {
		return fmt.Errorf("turn on etcd's authentication: %w", err)
	}
	return nil
}
