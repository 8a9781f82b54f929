package containers

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"testing"

	"github.com/testcontainers/testcontainers-go"
)

// ConsulCluster is one or more Consul servers, and client agents if asked for.
type ConsulCluster struct{ *Cluster }

// StartConsul starts a Consul server, or with [WithNodes] several, for one test,
// and returns when all of them serve and are in the catalog.
func StartConsul(tb testing.TB, opts ...testcontainers.ContainerCustomizer) *ConsulCluster {
	tb.Helper()
	return &ConsulCluster{start(tb, consulKind{}, BackendConsul, opts)}
}

// SharedConsul returns the Consul server that all tests of this binary share,
// and starts it for the first of them; see [Main].
func SharedConsul(tb testing.TB) *ConsulCluster {
	tb.Helper()
	return &ConsulCluster{share(tb, consulKind{}, BackendConsul)}
}

// TLS returns what a client needs if the agents speak TLS, else nil.
func (c *ConsulCluster) TLS(tb testing.TB) *tls.Config {
	tb.Helper()
	return c.tls(tb)
}

// consulKind is what is particular to clusters of Consul.
type consulKind struct{}

func (consulKind) run(ctx context.Context, image string, opts ...testcontainers.ContainerCustomizer) (
	testcontainers.Container, error,
) {
	c, err := RunConsul(ctx, image, opts...)
	if c == nil {
		return nil, err
	}
	return c, err
}

func (consulKind) port(s *settings) string { return consulPortOf(s) }

func (consulKind) probe(s *settings) (probe, error) { return consulProbe(s) }

func (consulKind) setUp(context.Context, *settings, *Node) error { return nil }

func (consulKind) leads(ctx context.Context, s *settings, addr string, n *Node) (bool, error) {
	config, err := s.clientTLS()
	if err != nil {
		return false, err
	}
	var leader string
	url := s.scheme() + "://" + addr + "/v1/status/leader"
	if err := callJSON(ctx, config, http.MethodGet, url, consulHeader(s), nil, &leader); err != nil || leader == "" {
		return false, err
	}
	if n.place == nil {
		return true, nil
	}
	host, _, err := net.SplitHostPort(leader)
	return host == n.place.ip(), err
}
