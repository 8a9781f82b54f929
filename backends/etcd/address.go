package etcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/go-reception/sdk/backends/internal/addresses"
	"github.com/go-reception/sdk/reception"
)

func init() { reception.RegisterScheme("etcd", openAddress) }

// openAddress is the opener of addresses with the scheme etcd.
func openAddress(ctx context.Context, address *reception.Address) (reception.Client, error) {
	opts, err := readAddress(address)
	if err != nil {
		return nil, err
	}
	return Dial(ctx, "", opts...)
}

// readAddress translates an address into options.
func readAddress(address *reception.Address) ([]Option, error) {
	p := address.Parameters
	opts := []Option{
		WithPrefix(p.String("prefix", DefaultPrefix)),
		WithTTL(p.Duration("ttl", DefaultTTL)),
		WithRelistInterval(p.Duration("relist", DefaultRelistInterval)),
		WithOperationTimeout(p.Duration("timeout", DefaultOperationTimeout)),
		WithDialTimeout(p.Duration("dial-timeout", DefaultDialTimeout)),
		WithEndpoints(address.Hosts...),
	}
	if refresh := p.Duration("refresh", -1); refresh != -1 {
		opts = append(opts, WithRefreshInterval(refresh))
	}
	secure := addresses.ReadTLS(p)
	if err := p.Err(); err != nil {
		return nil, err
	}
	if err := addresses.RefusePath(address, "records are", "prefix=/prod"); err != nil {
		return nil, err
	}
	if len(address.Hosts) == 0 {
		return nil, errors.New("the address names no server, as in etcd://10.0.0.1:2379,10.0.0.2:2379")
	}
	if address.User != nil {
		password, _ := address.User.Password()
		opts = append(opts, WithCredentials(address.User.Username(), password))
	}
	config, err := secure.Load()
	if err != nil {
		return nil, err
	}
	if config != nil {
		opts = append(opts, WithTLS(config))
	}
	return opts, nil
}

// defaultPort is where etcd serves its clients.
const defaultPort = "2379"

// parseEndpoints takes lists of servers apart and puts each into the form that the vendor's client wants. It says
// whether they are to be reached with TLS, which must be the same for all.
func parseEndpoints(lists []string) (endpoints []string, secure bool, err error) {
	var plain bool
	for _, list := range lists {
		for text := range strings.SplitSeq(list, ",") {
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			endpoint, https, err := parseEndpoint(text)
			if err != nil {
				return nil, false, err
			}
			endpoints = append(endpoints, endpoint)
			secure, plain = secure || https, plain || strings.HasPrefix(endpoint, "http://")
		}
	}
	if len(endpoints) == 0 {
		return nil, false, errors.New("no server is named, as in 10.0.0.1:2379")
	}
	if secure && plain {
		return nil, false, errors.New(
			"servers are named with http:// and with https://; one client speaks TLS or does not")
	}
	return endpoints, secure, nil
}

// parseEndpoint reads host, host:port, or either as a URL with the scheme http or https.
func parseEndpoint(text string) (endpoint string, https bool, err error) {
	if strings.Contains(text, "@") { // which is not shown, because of the password
		return "", false, errors.New(
			"a server is named with a user; it must look like 10.0.0.1:2379, and user and password go into WithCredentials")
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "", text
	}
	if found && scheme != "http" && scheme != "https" {
		return "", false, fmt.Errorf(
			"server %q: the scheme must be http or https, or left out; reception.Open takes etcd://", text)
	}
	parsed, err := url.Parse("//" + rest)
	if err != nil || parsed.Hostname() == "" || strings.Trim(parsed.Path, "/") != "" ||
		parsed.RawQuery != "" || parsed.Fragment != "" {
		return "", false, fmt.Errorf("server %q: must look like 10.0.0.1:2379", text)
	}
	port := parsed.Port()
	if port == "" {
		port = defaultPort
	}
	endpoint = net.JoinHostPort(parsed.Hostname(), port)
	if scheme != "" {
		endpoint = scheme + "://" + endpoint
	}
	return endpoint, scheme == "https", nil
}
