package chaostest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/logutil"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/chaos"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/containers"
)

// etcdTTL is one second more than the servers' least.
const etcdTTL = 3 * time.Second

var etcdGround = ground{
	name: "etcd",
	timing: conformance.Timing{
		// The servers look for leases to expire every half second, and a new leader of theirs begins all of them anew.
		TTL: etcdTTL, Late: 5 * time.Second, Propagation: 300 * time.Millisecond, Backoff: 500 * time.Millisecond,
		Margin: 300 * time.Millisecond, Grace: 3 * time.Second,
	},
	start: func(tb testing.TB) *site {
		tb.Helper()
		cluster := containers.StartEtcd(tb, containers.WithNodes(3))
		admin, err := etcdClient(cluster.Endpoints())
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = admin.Close() }) // whatever it says, there is nothing to be done
		return &site{
			Cluster: cluster.Cluster, connect: connectEtcd,
			expire: func(_ int, session driver.SessionID) {
				id, err := strconv.ParseUint(string(session), 16, 64)
				if err != nil {
					tb.Fatal(err)
				}
				ctx, cancel := brief(tb)
				defer cancel()
				_, _ = admin.Revoke(ctx, clientv3.LeaseID(id)) // it may have ended on its own, or the servers be in trouble
			},
			faults: []chaos.Fault{{Name: "compact", Victims: chaos.Cluster, Strike: func(int) func() {
				ctx, cancel := brief(tb)
				defer cancel()
				if now, err := admin.Get(ctx, "now"); err == nil {
					_, _ = admin.Compact(ctx, now.Header.Revision) // it may have been compacted already
				}
				return nil
			}}},
		}
	},
}

// etcdClient makes the vendor's client, which notices a connection that swallows everything.
func etcdClient(endpoints []string) (*clientv3.Client, error) {
	const silent = 5 // a level that nothing the client logs reaches
	logger, err := logutil.CreateDefaultZapLogger(silent)
	if err != nil {
		return nil, err
	}
	return clientv3.New(clientv3.Config{
		Endpoints: endpoints, Logger: logger, DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 3 * time.Second,
	})
}

// etcdBackend closes its client, too.
type etcdBackend struct {
	driver.Backend
	client *clientv3.Client
}

// Close implements [driver.Backend].
func (b *etcdBackend) Close() error { return errors.Join(b.Backend.Close(), b.client.Close()) }

func connectEtcd(endpoints []string, namespace string, log reception.Logger) (driver.Backend, error) {
	client, err := etcdClient(endpoints)
	if err != nil {
		return nil, err
	}
	b, err := etcd.NewBackend(client, etcd.WithPrefix("/"+namespace), etcd.WithTTL(etcdTTL),
		etcd.WithOperationTimeout(2*time.Second), etcd.WithLogger(log))
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &etcdBackend{b, client}, nil
}
