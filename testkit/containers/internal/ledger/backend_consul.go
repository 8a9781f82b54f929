package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/ledger/wire"
)

// consulBackend is Consul.
var consulBackend = Backend{
	Name:     "consul",
	LeadTTL:  2 * time.Second,
	Protocol: wire.HTTP,
	Start: func(ctx context.Context) (Server, error) {
		box, err := containers.RunConsul(ctx, "")
		if err != nil {
			return nil, err
		}
		return started(ctx, box, containers.BackendConsul, "github.com/hashicorp/consul/api",
			box.ClientEndpoint, consulVersion)
	},
	SDK: func(ctx context.Context, _ Server, way Way) (reception.Client, error) {
		return consul.Dial(ctx, way.Addr, consul.WithPrefix(prefix[1:]), consul.WithTTL(way.TTL),
			consul.WithLockDelay(consulLockDelay))
	},
	Bare: func(ctx context.Context, _ Server, way Way) (Party, error) { return connectConsul(ctx, way) },
	Fill: fillConsul,
}

// consulLockDelay is how long a key stays locked after the session of its holder was lost.
const consulLockDelay = 2 * time.Second

func consulVersion(_ context.Context, addr string) (string, error) {
	client, err := openConsul(addr)
	if err != nil {
		return "", err
	}
	self, err := client.Agent().Self()
	if err != nil {
		return "", err
	}
	version, ok := self["Config"]["Version"].(string)
	if !ok {
		return "", errors.New("consul does not tell its version")
	}
	return version, nil
}

// consulOwner is in the place of the UUID of a client.
const consulOwner = "8d2f0c54-7c2e-4c9c-a5a8-3a1df7c1e0f3"

// consulID is the ID of a service at the agent, which has one for all names, as the SDK makes it.
func consulID(name, id string) string { return "reception~" + name + "~" + id + "~" + consulOwner }

// consulMeta is what the SDK stores beside address and port.
func consulMeta(name, id string) map[string]string {
	meta := map[string]string{
		"reception-id": id, "reception-owner": consulOwner,
		"reception-session": consulOwner, "reception-write": "1:1:12",
	}
	maps.Copy(meta, Instance(name, id).Attributes)
	return meta
}

// fillConsul stores instances in the catalog, on a node of their own that no agent looks after.
func fillConsul(ctx context.Context, server Server, name string, n int) error {
	client, err := openConsul(server.Addr())
	if err != nil {
		return err
	}
	const node, most = "elsewhere", 64 // the servers' limit of operations in a transaction
	write := (&api.WriteOptions{}).WithContext(ctx)
	_, err = client.Catalog().Register(&api.CatalogRegistration{Node: node, Address: "192.0.2.1"}, write)
	if err != nil {
		return err
	}
	for i := 0; i < n; i += most {
		var sets api.TxnOps
		for j := i; j < min(i+most, n); j++ {
			id := fmt.Sprint(j)
			instance := Instance(name, id)
			stored := api.AgentService{
				ID: consulID(name, id), Service: name,
				Address: instance.Address, Port: instance.Port, Meta: consulMeta(name, id),
			}
			sets = append(sets, &api.TxnOp{Service: &api.ServiceTxnOp{Verb: api.ServiceSet, Node: node, Service: stored}})
		}
		done, response, _, err := client.Txn().Txn(sets, query(ctx))
		if err != nil {
			return err
		}
		if !done {
			return fmt.Errorf("consul refuses: %s", response.Errors[0].What)
		}
	}
	return nil
}
