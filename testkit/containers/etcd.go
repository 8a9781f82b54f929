package containers

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"

	"github.com/testcontainers/testcontainers-go"
)

const (
	etcdPort = "2379/tcp"
	etcdRoot = "root" // the user that authentication starts with
)

// EtcdContainer is a running etcd server.
type EtcdContainer struct {
	testcontainers.Container
	settings *settings
}

// RunEtcd starts an etcd server and returns when it serves, which takes a
// leader. An empty image means the one that [ChooseImage] chooses. On error the
// container is returned too if there is one, so that it can be terminated.
func RunEtcd(ctx context.Context, image string, opts ...testcontainers.ContainerCustomizer) (*EtcdContainer, error) {
	s, users, err := readOptions(BackendEtcd, opts)
	if err != nil {
		return nil, err
	}
	own, err := etcdRequest(s)
	if err != nil {
		return nil, err
	}
	started, err := run(ctx, image, s, own, users)
	if started == nil {
		return nil, err
	}
	c := &EtcdContainer{Container: started, settings: s}
	if err == nil && !s.member {
		err = c.setUp(ctx)
	}
	return c, err
}

// ClientEndpoint returns the server's URL.
func (c *EtcdContainer) ClientEndpoint(ctx context.Context) (string, error) {
	return c.PortEndpoint(ctx, etcdPort, c.settings.scheme())
}

// TLS returns what a client needs if the server speaks TLS, else nil.
func (c *EtcdContainer) TLS() (*tls.Config, error) { return c.settings.clientTLS() }

// setUp does what can only be done when the server serves.
func (c *EtcdContainer) setUp(ctx context.Context) error {
	if c.settings.password == "" {
		return nil
	}
	addr, err := c.PortEndpoint(ctx, etcdPort, "")
	if err != nil {
		return err
	}
	if err := enableEtcdAuth(ctx, c.settings, addr); err != nil {
		return fmt.Errorf("turn on etcd's authentication: %w", err)
	}
	return nil
}

// etcdRequest returns the customizers that make a request for an etcd server.
func etcdRequest(s *settings) ([]testcontainers.ContainerCustomizer, error) {
	peer := func(host string) string { return "http://" + host + ":2380" }
	name, host, cluster := "n1", "127.0.0.1", "n1="+peer("127.0.0.1")
	advertised := cmp.Or(s.advertised, "localhost:2379")
	if p := s.place; p != nil {
		var members []string
		for i, ip := range p.ips {
			members = append(members, nodeName(i)+"="+peer(ip))
		}
		name, host, cluster = nodeName(p.index), p.ip(), strings.Join(members, ",")
	}
	args := []string{
		"/usr/local/bin/etcd",
		"--name=" + name, "--data-dir=/etcd-data", "--initial-cluster=" + cluster,
		"--listen-client-urls=" + s.scheme() + "://0.0.0.0:2379", "--advertise-client-urls=" + s.scheme() + "://" + advertised,
		"--listen-peer-urls=" + peer("0.0.0.0"), "--initial-advertise-peer-urls=" + peer(host),
		"--heartbeat-interval=" + milliseconds(s.heartbeat), "--election-timeout=" + milliseconds(s.election),
		// The machine does not lose power during a test, and what a killed
		// process has written is there without it.
		"--unsafe-no-fsync",
	}
	customizers := []testcontainers.ContainerCustomizer{testcontainers.WithExposedPorts(etcdPort)}
	if s.authority != nil {
		files, err := s.tlsFiles()
		if err != nil {
			return nil, err
		}
		customizers = append(customizers, testcontainers.WithFiles(files...))
		args = append(args, "--client-cert-auth", "--trusted-ca-file="+authorityFile,
			"--cert-file="+certFile, "--key-file="+keyFile)
	}
	healthy, err := etcdProbe(s)
	return append(customizers, testcontainers.WithCmd(args...), s.wait(etcdPort, healthy)), err
}

// etcdProbe asks for the health of a server: that includes a read that the
// leader has to confirm.
func etcdProbe(s *settings) (probe, error) {
	config, err := s.clientTLS()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, addr string) error {
		var answer struct{ Health, Reason string }
		err := callJSON(ctx, config, http.MethodGet, s.scheme()+"://"+addr+"/health", nil, nil, &answer)
		if err == nil && answer.Health != "true" {
			err = fmt.Errorf("etcd is not healthy: %s", answer.Reason)
		}
		return err
	}, nil
}
