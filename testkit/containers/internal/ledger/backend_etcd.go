package ledger

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/ledger/wire"
)

// etcdBackend is etcd.
var etcdBackend = Backend{
	Name:     "etcd",
	LeadTTL:  3 * time.Second,
	Protocol: wire.GRPC,
	Start: func(ctx context.Context) (Server, error) {
		box, err := containers.RunEtcd(ctx, "")
		if err != nil {
			return nil, err
		}
		return started(ctx, box, containers.BackendEtcd, "go.etcd.io/etcd/client/v3", box.ClientEndpoint, etcdVersion)
	},
	SDK: func(ctx context.Context, _ Server, way Way) (reception.Client, error) {
		return etcd.Dial(ctx, way.Addr, etcd.WithPrefix(prefix), etcd.WithTTL(way.TTL))
	},
	Bare: func(ctx context.Context, _ Server, way Way) (Party, error) { return connectEtcd(ctx, way) },
	Fill: fillEtcd,
}

// openEtcd connects the vendor's client.
func openEtcd(ctx context.Context, addr string) (*clientv3.Client, error) {
	const limit = 10 * time.Second
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{addr}, DialTimeout: limit, Logger: zap.NewNop(),
		DialKeepAliveTime: limit, DialKeepAliveTimeout: limit / 2,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if _, err := client.Get(ctx, prefix); err != nil { // it does not connect before it is used
		_ = client.Close()
		return nil, err
	}
	return client, nil
}

func etcdVersion(ctx context.Context, addr string) (string, error) {
	client, err := openEtcd(ctx, addr)
	if err != nil {
		return "", err
	}
	defer client.Close() //nolint:errcheck // it was only asked something
	status, err := client.Status(ctx, addr)
	if err != nil {
		return "", err
	}
	return status.Version, nil
}

// etcdValue is what the SDK stores of Instance.
const etcdValue = `{"version":1,"owner":"8d2f0c54-7c2e-4c9c-a5a8-3a1df7c1e0f3","generation":12,` +
	`"address":"192.0.2.1","port":8080,"attributes":{"version":"1.2.3","zone":"eu-1"}}`

// etcdKey is where the SDK stores an instance, and, without an ID, what all of a name begin with.
func etcdKey(name, id string) string { return prefix + "/services/" + name + "/" + id }

// fillEtcd stores instances in transactions.
func fillEtcd(ctx context.Context, server Server, name string, n int) error {
	client, err := openEtcd(ctx, server.Addr())
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // what it wrote was acknowledged
	const most = 100     // the servers' limit is 128
	for i := 0; i < n; i += most {
		var puts []clientv3.Op
		for j := i; j < min(i+most, n); j++ {
			puts = append(puts, clientv3.OpPut(etcdKey(name, fmt.Sprint(j)), etcdValue))
		}
		if _, err := client.Txn(ctx).Then(puts...).Commit(); err != nil {
			return err
		}
	}
	return nil
}
