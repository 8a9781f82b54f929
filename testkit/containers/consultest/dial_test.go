package consultest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// management is the token that may do anything.
const management = "6f3c1f0e-52a4-4c7e-9a3e-1d8f6f0a9b11"

// rules are what a client's token needs: see the package's doc.
const rules = `
service_prefix "" { policy = "write" }
node_prefix ""    { policy = "read" }
session_prefix "" { policy = "write" }
key_prefix ""     { policy = "write" }
`

// TestTokens is about what Consul lets a client do: with a token of the least rights, with a wrong one, and with one that
// is taken away and given back while the client works.
func TestTokens(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t, containers.WithConsulACL(management))
	endpoint := server.Endpoints()[0]
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	admin, err := api.NewClient(&api.Config{Address: endpoint, Transport: transport, Token: management})
	ok(t, err)
	_, _, err = admin.ACL().PolicyCreate(&api.ACLPolicy{Name: "client", Rules: rules}, nil)
	ok(t, err)
	token := &api.ACLToken{
		AccessorID: "6f3c1f0e-0000-4c7e-9a3e-1d8f6f0a9b12", SecretID: "6f3c1f0e-1111-4c7e-9a3e-1d8f6f0a9b13",
		Policies: []*api.ACLLink{{Name: "client"}},
	}
	grant := func() {
		_, _, err := admin.ACL().TokenCreate(token, nil)
		ok(t, err)
	}
	grant()
	file := filepath.Join(t.TempDir(), "token")
	ok(t, os.WriteFile(file, []byte(token.SecretID+"\n"), 0o600))

	_, err = connect(t, endpoint, consul.WithTTLChecks(), consul.WithToken("6f3c1f0e-9999-4c7e-9a3e-1d8f6f0a9b14"))
	if !errors.Is(err, reception.ErrPermission) {
		t.Errorf("with a token that does not exist: %v", err)
	}
	nobody := dial(t, endpoint, consul.WithTTLChecks()) // the anonymous token exists, and may do nothing
	if err := nobody.Register(t.Context(), service("api", "1"), nil); !errors.Is(err, reception.ErrPermission) {
		t.Errorf("without a token: %v", err)
	}

	client := dial(t, endpoint, consul.WithTTLChecks(), consul.WithToken(token.SecretID))
	reader := dial(t, endpoint, consul.WithTTLChecks(), consul.WithTokenFile(file))
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := reader.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	if services, err := nobody.ListServices(t.Context(), "api"); !errors.Is(err, reception.ErrPermission) {
		t.Errorf("without a token the list is %v, %v", services, err)
	}
	term, err := client.Campaign(t.Context(), "e", service("api", "1"))
	ok(t, err)
	ok(t, term.Verify(t.Context()))

	_, err = admin.ACL().TokenDelete(token.AccessorID, nil)
	ok(t, err)
	deadline := time.After(2 * time.Minute)
	for refused := false; !refused; {
		select {
		case state := <-states:
			if len(state.Services) != 1 && state.Err == nil {
				t.Errorf("the removal of a token looks like %d instances", len(state.Services))
			}
			refused = errors.Is(state.Err, reception.ErrPermission)
		case <-deadline:
			t.Fatal("the watch is not told that its token was removed")
		}
	}
	if _, err := reader.ListServices(t.Context(), "api"); !errors.Is(err, reception.ErrPermission) {
		t.Errorf("a list after the token was removed: %v", err)
	}
	<-term.Context().Done()
	grant()
	healthy(t, states, "1")
	sees(t, step+4*grace, reader, "api", "1")
}

// TestDialWithTLS is about certificates.
func TestDialWithTLS(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t, containers.WithTLS())
	endpoint := server.Endpoints()[0]
	config := server.TLS(t)
	client := dial(t, endpoint, consul.WithTTLChecks(), consul.WithTLS(config))
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	sees(t, grace, client, "api", "1")

	strangers, uncertified := config.Clone(), config.Clone()
	strangers.RootCAs = x509.NewCertPool()
	uncertified.Certificates = nil
	for what, opts := range map[string][]consul.Option{
		"without TLS":                 nil,
		"trusting somebody else":      {consul.WithTLS(strangers)},
		"trusting whom the system is": {consul.WithTLS(&tls.Config{})},
		"without a certificate":       {consul.WithTLS(uncertified)},
	} {
		_, err := connect(t, endpoint, append(opts, consul.WithTTLChecks(), consul.WithDialTimeout(3*time.Second))...)
		if !errors.Is(err, reception.ErrUnavailable) || !strings.Contains(err.Error(), endpoint) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestDialWhereNobodyListens is about agents that are down, or have no leader.
func TestDialWhereNobodyListens(t *testing.T) {
	t.Parallel()
	_, err := connect(t, "127.0.0.1:1", consul.WithTTLChecks())
	if !errors.Is(err, reception.ErrUnavailable) || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("where nobody listens: %v", err)
	}
	link := shared(t).NewLink(t)
	link.Blackhole(t)
	start := time.Now()
	_, err = connect(t, link.Endpoints()[0], consul.WithTTLChecks(), consul.WithDialTimeout(time.Second))
	if !errors.Is(err, reception.ErrUnavailable) {
		t.Errorf("where nobody answers: %v", err)
	}
	if took := time.Since(start); took > time.Second+grace {
		t.Errorf("it took %v to give up, and was to take 1s", took)
	}
}

// TestOpen opens a client by its address.
func TestOpen(t *testing.T) {
	t.Parallel()
	address := "consul://" + shared(t).Endpoints()[0]
	client, err := reception.Open(t.Context(), address+"?ttl-checks=true&ttl=3s&lock-delay=1s&prefix="+url.QueryEscape(named(t)))
	ok(t, err)
	t.Cleanup(func() { _ = client.Close() })
	name := named(t)
	ok(t, client.Register(t.Context(), service(name, "1"), nil))
	sees(t, grace, client, name, "1")
	_, err = reception.Open(t.Context(), address+"?colour=red")
	if err == nil || !strings.Contains(err.Error(), "colour") || !strings.Contains(err.Error(), "lock-delay") {
		t.Errorf("an unknown parameter: %v", err)
	}
}
