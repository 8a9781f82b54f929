package consul

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// Dial connects to an agent of Consul and returns a Client. addr names the agent as host, host:port, or as a URL with the
// scheme http or https; it must be one agent and not a balancer before several, because what an agent has registered only
// that agent can keep alive. Dial fails if the agent, or a leader of its servers, cannot be reached, or refuses the token,
// within the dial timeout and before ctx ends.
//
// What no option says is taken from the environment variables of Consul's own tools, such as CONSUL_HTTP_TOKEN and
// CONSUL_CACERT.
func Dial(ctx context.Context, addr string, opts ...Option) (reception.Client, error) {
	s, err := makeSettings(opts)
	if err != nil {
		return nil, fmt.Errorf("consul: Dial: %w", err)
	}
	b, err := dial(ctx, addr, s)
	if err != nil {
		return nil, fmt.Errorf("consul: Dial: %w", err)
	}
	return reception.NewClient(b, reception.WithLogger(s.logger)), nil
}

// New returns a Client over a client of Consul's own. It does not wait for Consul.
func New(client *api.Client, opts ...Option) (reception.Client, error) {
	b, err := over(client, opts)
	if err != nil {
		return nil, err
	}
	return reception.NewClient(b, reception.WithLogger(b.log)), nil
}

// NewBackend is New for those who make the Client themselves, because they want to give [reception.NewClient] options
// or the backend something around it.
func NewBackend(client *api.Client, opts ...Option) (driver.Backend, error) {
	b, err := over(client, opts)
	if err != nil {
		return nil, err // and no backend that is a nil pointer
	}
	return b, nil
}

// over returns a backend over a client that the caller has made.
func over(client *api.Client, opts []Option) (*backend, error) {
	s, err := makeSettings(opts)
	if err != nil {
		return nil, fmt.Errorf("consul: New: %w", err)
	}
	if err := s.Connected(); err != nil {
		return nil, fmt.Errorf("consul: New: %w", err)
	}
	if client == nil {
		return nil, errors.New("consul: New: the client is nil")
	}
	b, err := start(client, s)
	if err != nil {
		return nil, fmt.Errorf("consul: New: %w", err)
	}
	return b, nil
}

// start returns a backend over client that answers health checks if it has to.
func start(client *api.Client, s *settings) (*backend, error) {
	var checks *checkServer
	if s.host != "" {
		var err error
		if checks, err = newCheckServer(s); err != nil {
			return nil, err
		}
	}
	return newBackend(client, s, checks), nil
}

// dial connects to the agent and checks that it can be worked with.
func dial(ctx context.Context, addr string, s *settings) (*backend, error) {
	client, transport, err := s.connect(addr)
	if err != nil {
		return nil, err
	}
	b, err := start(client, s)
	if err != nil {
		return nil, err
	}
	b.idle = transport.CloseIdleConnections
	ctx, cancel := context.WithTimeoutCause(ctx, s.dial, lateError(s.dial))
	defer cancel()
	if err := b.greet(ctx); err != nil {
		_ = b.Close() // what is wrong was said already
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", driver.ErrUnavailable, context.Cause(ctx))
		}
		return nil, fmt.Errorf("cannot work with %s: %w", addr, err)
	}
	return b, nil
}

// connect makes the vendor's client.
func (s *settings) connect(addr string) (*api.Client, *http.Transport, error) {
	endpoint, https, err := parseEndpoint(addr)
	if err != nil {
		return nil, nil, err
	}
	if s.token != "" && s.tokenFile != "" {
		return nil, nil, errors.New("WithToken and WithTokenFile exclude each other")
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: s.operation, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   s.operation,
		MaxIdleConnsPerHost:   64, // polls come and go, and a registration is several requests
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		TLSClientConfig:       s.tls,
	}
	config := &api.Config{
		Address: endpoint, Transport: transport, Token: s.token, TokenFile: s.tokenFile,
		Datacenter: s.datacenter, Namespace: s.namespace, Partition: s.partition,
	}
	if https || s.tls != nil {
		config.Scheme = "https"
	}
	client, err := api.NewClient(config)
	if err != nil {
		return nil, nil, err
	}
	return client, transport, nil
}

// greet finds out whether the servers answer, and know the token.
func (b *backend) greet(ctx context.Context) error {
	return b.read(ctx, func(ctx context.Context) error {
		q := consistent(ctx)
		q.Filter = `Service.ID == ""` // which none has
		_, _, err := b.client.Health().Service(helperName, "", true, q)
		return err
	})
}

// defaultPort is where agents serve HTTP.
const defaultPort = "8500"

// parseEndpoint reads host, host:port, or either as a URL with the scheme http or https.
func parseEndpoint(text string) (endpoint string, https bool, err error) {
	if strings.Contains(text, "@") { // which is not shown, because of the password
		return "", false, errors.New("agent: the address holds a user; it must look like 10.0.0.1:8500, and a token goes into WithToken")
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "", text
	}
	if found && scheme != "http" && scheme != "https" {
		return "", false, fmt.Errorf(
			"agent %q: the scheme must be http or https, or left out; reception.Open takes consul://", text)
	}
	parsed, err := url.Parse("//" + rest)
	if err != nil || parsed.Hostname() == "" || strings.Trim(parsed.Path, "/") != "" ||
		parsed.RawQuery != "" || parsed.Fragment != "" || strings.Contains(rest, ",") {
		return "", false, fmt.Errorf("agent %q: must look like 10.0.0.1:8500", text)
	}
	port := parsed.Port()
	if port == "" {
		port = defaultPort
	}
	return net.JoinHostPort(parsed.Hostname(), port), scheme == "https", nil
}
