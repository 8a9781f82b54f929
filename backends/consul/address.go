package consul

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-reception/sdk/backends/internal/addresses"
	"github.com/go-reception/sdk/reception"
)

func init() { reception.RegisterScheme("consul", openAddress) }

// openAddress is the opener of addresses with the scheme consul.
func openAddress(ctx context.Context, address *reception.Address) (reception.Client, error) {
	opts, err := readAddress(address)
	if err != nil {
		return nil, err
	}
	return Dial(ctx, address.Hosts[0], opts...)
}

// readAddress translates an address into options.
func readAddress(address *reception.Address) ([]Option, error) {
	opts := readParameters(address.Parameters)
	secure := addresses.ReadTLS(address.Parameters)
	if err := address.Parameters.Err(); err != nil {
		return nil, err
	}
	if err := addresses.RefusePath(address, "the keys of elections are", "prefix=prod"); err != nil {
		return nil, err
	}
	if len(address.Hosts) != 1 {
		return nil, fmt.Errorf("the address names %d agents; it must name one, as in consul://10.0.0.1:8500",
			len(address.Hosts))
	}
	if address.User != nil {
		return nil, errors.New("consul knows no user and password; a token goes into a parameter, as in ?token=… or ?token-file=…")
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

// readParameters translates the parameters that are one option each. Those that are not given set nothing, because some
// options mean something by being there.
func readParameters(p *reception.Parameters) []Option {
	opts := []Option{
		WithPrefix(p.String("prefix", DefaultPrefix)),
		WithLockDelay(p.Duration("lock-delay", DefaultLockDelay)),
		WithCheckDeregisterTimeout(p.Duration("check-deregister-timeout", DefaultCheckDeregisterTimeout)),
		WithOperationTimeout(p.Duration("timeout", DefaultOperationTimeout)),
		WithDialTimeout(p.Duration("dial-timeout", DefaultDialTimeout)),
		WithDatacenter(p.String("datacenter", "")),
		WithNamespace(p.String("namespace", "")),
		WithPartition(p.String("partition", "")),
	}
	for name, with := range map[string]func(time.Duration) Option{
		"ttl": WithTTL, "check-interval": WithCheckInterval, "check-timeout": WithCheckTimeout,
	} {
		if d := p.Duration(name, absent); d != absent {
			opts = append(opts, with(d))
		}
	}
	for name, with := range map[string]func(string) Option{
		"host": WithHost, "listen-host": WithListenHost, "token": WithToken, "token-file": WithTokenFile,
	} {
		if text := p.String(name, "\x00"); text != "\x00" {
			opts = append(opts, with(text))
		}
	}
	for name, with := range map[string]func(int) Option{"port": WithPort, "advertised-port": WithAdvertisedPort} {
		if n := p.Int(name, absent); n != absent {
			opts = append(opts, with(n))
		}
	}
	if p.Bool("ttl-checks", false) {
		opts = append(opts, WithTTLChecks())
	}
	if p.Bool("unhealthy", false) {
		opts = append(opts, WithUnhealthy())
	}
	return opts
}

// absent is the value of a number that is not given, and that none has.
const absent = -1 << 31
