package consul

import (
	"context"

	"github.com/go-reception/sdk/reception/driver"
)

var _ driver.Inspector = (*backend)(nil)

// Inspect implements [driver.Inspector]. It asks the agent about itself, which wants the permission agent:read where
// there are ACLs. Agents show no clock.
func (b *backend) Inspect(ctx context.Context) ([]driver.Server, error) {
	var self struct {
		Config struct {
			Datacenter, NodeName, Version string
			Server                        bool
		}
	}
	var leader string
	err := b.read(ctx, func(ctx context.Context) error {
		if _, err := b.client.Raw().Query("/v1/agent/self", &self, options(ctx)); err != nil {
			return err
		}
		var err error
		leader, err = b.client.Status().LeaderWithQueryOptions(options(ctx))
		return err
	})
	agent := driver.Server{
		Address: "the agent", Version: self.Config.Version, Role: "client of servers that are led by " + leader, Err: err,
	}
	if self.Config.NodeName != "" {
		agent.Address = self.Config.NodeName + " in " + self.Config.Datacenter
	}
	switch {
	case leader == "":
		agent.Role = "agent of servers without a leader"
	case self.Config.Server:
		agent.Role = "server of a cluster that is led by " + leader
	}
	return []driver.Server{agent}, nil
}
