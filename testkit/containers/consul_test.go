package containers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/testcontainers/testcontainers-go"
)

func consulClient(t *testing.T, c *ConsulCluster, endpoint, token string) *api.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: c.TLS(t)}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := api.NewClient(&api.Config{
		Address: endpoint, Scheme: c.settings.scheme(), Token: token, HttpClient: &http.Client{Transport: transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRunConsul(t *testing.T) {
	needEngine(t, BackendConsul, nil)
	c, err := RunConsul(t.Context(), "", WithConsulConfig(map[string]any{"session_ttl_min": "1s"}))
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := c.ClientEndpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.NewClient(&api.Config{Address: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	options := new(api.WriteOptions).WithContext(within(t, serverLimit))
	if _, _, err := client.Session().Create(&api.SessionEntry{TTL: "2s"}, options); err != nil {
		t.Errorf("a session of 2 s, with session_ttl_min at 1 s: %v", err)
	}
}

func TestConsulWithTLSAndACL(t *testing.T) {
	const token = "6f3c1f0e-52a4-4c7e-9a3e-1d8f6f0a9b11"
	c := StartConsul(t, WithTLS(), WithConsulACL(token))
	for _, test := range []struct {
		name, token string
		ok          bool
	}{{"with the token", token, true}, {"without", "", false}, {"with another", "6f3c1f0e-52a4-4c7e-9a3e-000000000000", false}} {
		options := new(api.WriteOptions).WithContext(within(t, serverLimit))
		client := consulClient(t, c, c.Endpoints()[0], test.token)
		_, err := client.KV().Put(&api.KVPair{Key: "key", Value: []byte("value")}, options)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v, want success: %v", test.name, err, test.ok)
		}
	}
	plain := c.TLS(t)
	plain.Certificates = nil
	url := "https://" + c.Endpoints()[0] + "/v1/status/leader"
	if err := callJSON(within(t, serverLimit), plain, http.MethodGet, url, nil, nil, nil); err == nil {
		t.Error("a client without certificate is served")
	}
}

// Consul's HTTP checks reach this process, under the name that the kit gives it.
func TestConsulChecksThisProcess(t *testing.T) {
	c := SharedConsul(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	service := &httptest.Server{
		Listener: listener,
		Config:   &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: serverLimit},
	}
	service.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	service.Start()
	t.Cleanup(service.Close)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client := consulClient(t, c, c.Endpoints()[0], "")
	err = client.Agent().ServiceRegister(&api.AgentServiceRegistration{
		Name:  t.Name(),
		Check: &api.AgentServiceCheck{HTTP: "http://" + net.JoinHostPort(HostName, port), Interval: "200ms"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Agent().ServiceDeregister(t.Name()) })
	eventually(t, serverLimit, func(ctx context.Context) error {
		found, _, err := client.Health().Service(t.Name(), "", true, new(api.QueryOptions).WithContext(ctx))
		if err == nil && len(found) != 1 {
			err = fmt.Errorf("%d instances pass", len(found))
		}
		return err
	})
}

func TestConsulWipe(t *testing.T) {
	c := StartConsul(t)
	client := consulClient(t, c, c.Endpoints()[0], "")
	if _, err := client.KV().Put(&api.KVPair{Key: "key", Value: []byte("value")}, nil); err != nil {
		t.Fatal(err)
	}
	before := c.Node(0).Container().GetContainerID()
	c.Wipe(t)
	pair, _, err := client.KV().Get("key", new(api.QueryOptions).WithContext(within(t, serverLimit)))
	if err != nil || pair != nil {
		t.Errorf("after the wipe: %v, %v; want nothing, at the same endpoint", pair, err)
	}
	if c.Node(0).Container().GetContainerID() == before {
		t.Error("it is the old container")
	}
}

// An agent that is kept apart from the servers still answers its clients, but
// not for what the servers have to confirm.
func TestConsulIsolatedAgent(t *testing.T) {
	c := StartConsul(t, WithNodes(3), WithConsulAgents(1))
	agent := c.Node(3)
	client := consulClient(t, c, c.Link().To(agent).Endpoints()[0], "")
	consistent := func(limit time.Duration) error {
		options := &api.QueryOptions{RequireConsistent: true}
		_, _, err := client.KV().Get("key", options.WithContext(within(t, limit)))
		return err
	}
	if err := consistent(serverLimit); err != nil {
		t.Fatal(err)
	}
	undo := c.Isolate(t, agent)
	if _, err := client.Agent().Self(); err != nil {
		t.Errorf("the isolated agent: %v; its client's link must be up", err)
	}
	if err := consistent(time.Second); err == nil {
		t.Error("an isolated agent answers a consistent read")
	}
	undo()
	// Its connections to the servers go on, or it makes new ones when its
	// keep-alives have failed.
	eventually(t, 2*time.Minute, func(context.Context) error { return consistent(time.Second) })
}

// A server that is lost with its data takes its place again.
func TestConsulWipeOfOneServer(t *testing.T) {
	c := StartConsul(t, WithNodes(3))
	leader := consulClient(t, c, c.Link().To(c.Leader(t)).Endpoints()[0], "")
	if _, err := leader.KV().Put(&api.KVPair{Key: "key", Value: []byte("value")}, nil); err != nil {
		t.Fatal(err)
	}
	follower := c.Follower(t)
	c.Wipe(t, follower)
	client := consulClient(t, c, c.Link().To(follower).Endpoints()[0], "")
	eventually(t, time.Minute, func(ctx context.Context) error {
		pair, _, err := client.KV().Get("key", (&api.QueryOptions{AllowStale: true}).WithContext(ctx))
		if err == nil && pair == nil {
			err = errors.New("it has not caught up")
		}
		return err
	})
}
