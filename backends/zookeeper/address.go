package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/backends/internal/addresses"
	"github.com/go-reception/sdk/reception"
)

func init() {
	reception.RegisterScheme("zk", openAddress)
	reception.RegisterScheme("exhibitor", openExhibitor)
}

// openAddress is the opener of addresses with the scheme zk.
func openAddress(ctx context.Context, address *reception.Address) (reception.Client, error) {
	opts, err := readAddress(address, "zk://10.0.0.1:2181,10.0.0.2:2181", WithServers(address.Hosts...))
	if err != nil {
		return nil, err
	}
	return Dial(ctx, "", opts...)
}

// openExhibitor is the opener of addresses with the scheme exhibitor.
func openExhibitor(ctx context.Context, address *reception.Address) (reception.Client, error) {
	opts, err := readAddress(address, "exhibitor://10.0.0.1:8080,10.0.0.2:8080",
		WithExhibitors(address.Hosts...), WithExhibitorInterval(address.Parameters.Duration("poll", DefaultExhibitorInterval)))
	if err != nil {
		return nil, err
	}
	return DialExhibitor(ctx, "", opts...)
}

// readAddress translates an address into options, to which it adds opts.
func readAddress(address *reception.Address, example string, opts ...Option) ([]Option, error) {
	p := address.Parameters
	opts = append(opts,
		WithPrefix(p.String("prefix", DefaultPrefix)),
		WithSessionTimeout(p.Duration("timeout", DefaultSessionTimeout)),
		WithRelistInterval(p.Duration("relist", DefaultRelistInterval)),
		WithOperationTimeout(p.Duration("operation-timeout", DefaultOperationTimeout)),
		WithDialTimeout(p.Duration("dial-timeout", DefaultDialTimeout)),
	)
	secure := addresses.ReadTLS(p)
	if err := p.Err(); err != nil {
		return nil, err
	}
	if err := addresses.RefusePath(address, "records are", "prefix=/prod"); err != nil {
		return nil, err
	}
	if len(address.Hosts) == 0 {
		return nil, fmt.Errorf("the address names no server, as in %s", example)
	}
	if address.User != nil {
		password, _ := address.User.Password()
		opts = append(opts, WithDigest(address.User.Username(), password))
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

// parseServers takes lists of servers apart and puts each into the form host:port.
func parseServers(lists []string) ([]string, error) {
	var servers []string
	for _, list := range lists {
		for text := range strings.SplitSeq(list, ",") {
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			if strings.Contains(text, "://") {
				return nil, fmt.Errorf("server %q: must look like 10.0.0.1:2181; reception.Open takes zk://", text)
			}
			parsed, err := url.Parse("//" + text)
			if err != nil || parsed.Hostname() == "" || parsed.Host != text {
				return nil, fmt.Errorf("server %q: must look like 10.0.0.1:2181%s", text, chroot(parsed))
			}
			servers = append(servers, serverAt(parsed.Hostname(), parsed.Port()))
		}
	}
	if len(servers) == 0 {
		return nil, errors.New("no server is named, as in 10.0.0.1:2181")
	}
	return servers, nil
}

// chroot advises those who write a prefix where other clients of ZooKeeper take one.
func chroot(parsed *url.URL) string {
	if parsed == nil || parsed.Path == "" {
		return ""
	}
	return fmt.Sprintf("; where records are kept is said by WithPrefix(%q)", parsed.Path)
}

// serverAt returns host and port in the form that the vendor's client wants.
func serverAt(host, port string) string {
	if port == "" {
		port = strconv.Itoa(zk.DefaultPort)
	}
	return net.JoinHostPort(host, port)
}
