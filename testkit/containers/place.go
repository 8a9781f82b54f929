package containers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// maxNodes is the most servers, and the most agents, that a cluster may have.
const maxNodes = 7

// place is a node's place in a cluster: a network of its own, on which nodes
// keep their addresses when they restart.
type place struct {
	network string
	ips     []string // of all nodes
	voters  int      // the first so many nodes are servers, the rest agents
	index   int
}

func (p *place) ip() string { return p.ips[p.index] }

// servers returns the addresses of all nodes that are no mere agents.
func (p *place) servers() []string { return p.ips[:p.voters] }

// nodeName is a node's name inside its cluster.
func nodeName(index int) string { return "n" + strconv.Itoa(index+1) }

// customizers puts a container into its place.
func (p *place) customizers() []testcontainers.ContainerCustomizer {
	if p == nil {
		return nil
	}
	return []testcontainers.ContainerCustomizer{
		testcontainers.CustomizeRequestOption(func(r *testcontainers.GenericContainerRequest) error {
			r.Networks = []string{p.network}
			r.NetworkAliases = map[string][]string{p.network: {nodeName(p.index)}}
			return nil
		}),
		testcontainers.WithEndpointSettingsModifier(func(settings map[string]*network.EndpointSettings) {
			if address, err := netip.ParseAddr(p.ip()); err == nil && settings[p.network] != nil {
				settings[p.network].IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: address}
			}
		}),
	}
}

// networkAttempts is how often a subnet that another run has taken meanwhile is
// looked for anew.
const networkAttempts = 5

// createNetwork makes a network and reserves n addresses on it. The engine gives
// fixed addresses only on a network whose subnet was asked for, so it is asked
// which one is free first.
func createNetwork(ctx context.Context, engine client.APIClient, name string, n int) (ips []string, err error) {
	for range networkAttempts {
		var free netip.Prefix
		if free, err = freeSubnet(ctx, engine, name); err != nil {
			return nil, err
		}
		subnet := network.IPAMConfig{Subnet: free}
		_, err = engine.NetworkCreate(ctx, name, client.NetworkCreateOptions{
			Driver: "bridge", Labels: labels(), IPAM: &network.IPAM{Config: []network.IPAMConfig{subnet}},
		})
		if err == nil {
			return addresses(free, n)
		}
	}
	return nil, fmt.Errorf("create network: %w", err)
}

// freeSubnet has the engine choose a subnet.
func freeSubnet(ctx context.Context, engine client.APIClient, name string) (free netip.Prefix, err error) {
	created, err := engine.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Labels: labels()})
	if err != nil {
		return free, fmt.Errorf("create network: %w", err)
	}
	defer func() {
		_, removed := engine.NetworkRemove(ctx, created.ID, client.NetworkRemoveOptions{})
		err = errors.Join(err, removed)
	}()
	found, err := engine.NetworkInspect(ctx, created.ID, client.NetworkInspectOptions{})
	if err != nil {
		return free, err
	}
	for _, config := range found.Network.IPAM.Config {
		if config.Subnet.Addr().Is4() {
			return config.Subnet, nil
		}
	}
	return free, errors.New("create network: the engine gave it no IPv4 subnet")
}

// addresses returns n addresses of a subnet, leaving room for the gateway.
func addresses(subnet netip.Prefix, n int) ([]string, error) {
	const room = 10
	address := subnet.Masked().Addr()
	for range room {
		address = address.Next()
	}
	ips := make([]string, 0, n)
	for range n {
		if !subnet.Contains(address) {
			return nil, fmt.Errorf("create network: %s has no room for %d nodes", subnet, n)
		}
		ips = append(ips, address.String())
		address = address.Next()
	}
	return ips, nil
}
