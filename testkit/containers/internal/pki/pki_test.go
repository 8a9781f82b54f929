package pki

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
)

// handshake connects a client with a server that asks for a certificate.
func handshake(t *testing.T, a *Authority, client *tls.Config) error {
	t.Helper()
	pair, err := a.Issue("server", "localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.PEM) {
		t.Fatal("the authority's certificate is not PEM")
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.(*tls.Conn).HandshakeContext(t.Context()) // the client's error says what is wrong
			_ = conn.Close()
		}
	}()
	conn, err := (&tls.Dialer{Config: client}).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err == nil {
		err = conn.Close()
	}
	return err
}

func TestAuthority(t *testing.T) {
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	other, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(*tls.Config)
		ok     bool
	}{
		{"a client of the authority", func(*tls.Config) {}, true},
		{"an IP address", func(c *tls.Config) { c.ServerName = "127.0.0.1" }, true},
		{"another name", func(c *tls.Config) { c.ServerName = "example.org" }, false},
		{"a client without certificate", func(c *tls.Config) { c.Certificates = nil }, false},
		{"a client of another authority", func(c *tls.Config) {
			foreign, err := other.ClientConfig("client")
			if err != nil {
				t.Fatal(err)
			}
			c.Certificates = foreign.Certificates
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			config, err := a.ClientConfig("client")
			if err != nil {
				t.Fatal(err)
			}
			config.ServerName = "localhost"
			config.MaxVersion = tls.VersionTLS12 // 1.3 tells a client of its refusal only later
			test.change(config)
			if err := handshake(t, a, config); (err == nil) != test.ok {
				t.Errorf("handshake = %v, want success: %v", err, test.ok)
			}
		})
	}
}
