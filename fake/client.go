package fake

import (
	"context"
	"errors"

	"github.com/go-reception/sdk/reception"
)

func init() { reception.RegisterScheme("fake", openAddress) }

// NewClient returns a Client on a cluster of its own, for tests in which one process is enough.
func NewClient(options ...reception.Option) reception.Client {
	return NewCluster().Client(options...)
}

// Client connects another process to the cluster and returns its Client. A test that wants to cut the process off, or
// to let its calls fail, takes a [Backend] and gives it to [reception.NewClient] itself.
func (c *Cluster) Client(options ...reception.Option) reception.Client {
	return reception.NewClient(c.Backend(), options...)
}

// openAddress is the opener of addresses such as fake:// and fake://?ttl=3s. Each makes a cluster of its own: clients
// that are to meet share a Cluster.
func openAddress(_ context.Context, address *reception.Address) (reception.Client, error) {
	ttl := address.Parameters.Duration("ttl", DefaultTTL)
	if err := address.Parameters.Err(); err != nil {
		return nil, err
	}
	if len(address.Hosts) > 0 || address.Path != "" || address.User != nil {
		return nil, errors.New("a fake cluster is in memory: the address takes parameters only, as in fake://?ttl=3s")
	}
	if ttl <= 0 {
		return nil, errors.New("parameter \"ttl\" must be positive")
	}
	return NewCluster(WithTTL(ttl)).Client(), nil
}
