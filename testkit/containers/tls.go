package containers

import (
	"crypto/tls"
	"fmt"

	"github.com/testcontainers/testcontainers-go"
)

// Where a server finds its certificates.
const (
	authorityFile = "/tls/ca.pem"
	certFile      = "/tls/cert.pem"
	keyFile       = "/tls/key.pem"
)

func (s *settings) scheme() string {
	if s.authority != nil {
		return "https"
	}
	return "http"
}

// clientTLS returns a client's configuration, or nil without TLS. The certificate
// names nobody: etcd would take a name for a user, and refuse it at its gateway.
func (s *settings) clientTLS() (*tls.Config, error) {
	if s.authority == nil {
		return nil, nil // which is how the net packages say "no TLS"
	}
	config, err := s.authority.ClientConfig("")
	if err != nil {
		return nil, fmt.Errorf("client certificate: %w", err)
	}
	return config, nil
}

// tlsFiles returns a server's certificates. They name what clients may call it.
func (s *settings) tlsFiles() ([]testcontainers.ContainerFile, error) {
	hosts := []string{"localhost", "127.0.0.1", "::1", HostName}
	if s.place != nil {
		hosts = append(hosts, s.place.ip())
	}
	pair, err := s.authority.Issue("reception test server", hosts...)
	if err != nil {
		return nil, fmt.Errorf("server certificate: %w", err)
	}
	return []testcontainers.ContainerFile{
		file(authorityFile, s.authority.PEM), file(certFile, pair.Cert), file(keyFile, pair.Key),
	}, nil
}
