package containers

import (
	"errors"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const serverLimit = 20 * time.Second // what a server may take for one request, on a busy machine

func etcdClient(t *testing.T, config clientv3.Config) *clientv3.Client {
	t.Helper()
	config.Logger = zap.NewNop()
	config.DialTimeout = serverLimit
	client, err := clientv3.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestRunEtcd(t *testing.T) {
	needEngine(t, BackendEtcd, nil)
	c, err := RunEtcd(t.Context(), "", WithEtcdTicks(50*time.Millisecond, 3*time.Second))
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := c.ClientEndpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := etcdClient(t, clientv3.Config{Endpoints: []string{endpoint}})
	ctx := within(t, serverLimit)
	if _, err := client.Put(ctx, "key", "value"); err != nil {
		t.Fatal(err)
	}
	lease, err := client.Grant(ctx, 1)
	if err != nil || lease.TTL != 5 {
		t.Errorf("Grant(1) = a TTL of %d, %v; want 1.5 times the election timeout of 3 s, so 5", lease.TTL, err)
	}
}

func TestEtcdWithTLSAndPassword(t *testing.T) {
	c := StartEtcd(t, WithTLS(), WithEtcdRootPassword("secret"))
	ctx := within(t, time.Minute)
	for _, test := range []struct {
		name, password string
		withCert       bool
		ok             bool
	}{
		{"as it should be", "secret", true, true},
		{"wrong password", "wrong", true, false},
		{"no certificate", "secret", false, false},
	} {
		config := clientv3.Config{Endpoints: c.URLs(), TLS: c.TLS(t), Username: etcdRoot, Password: test.password}
		if !test.withCert {
			config.TLS.Certificates = nil
		}
		config.Logger, config.DialTimeout, config.Context = zap.NewNop(), 3*time.Second, ctx
		client, err := clientv3.New(config)
		if err == nil {
			short := within(t, 3*time.Second)
			_, err = client.Put(short, "key", "value")
			_ = client.Close()
		}
		if (err == nil) != test.ok {
			t.Errorf("%s: %v, want success: %v", test.name, err, test.ok)
		}
	}
	c.Compact(t) // logs in
}

func TestEtcdCompact(t *testing.T) {
	c := SharedEtcd(t)
	client := etcdClient(t, clientv3.Config{Endpoints: c.URLs()})
	ctx := within(t, serverLimit)
	first, err := client.Put(ctx, t.Name(), "1")
	if err != nil {
		t.Fatal(err)
	}
	second, err := client.Put(ctx, t.Name(), "2")
	if err != nil {
		t.Fatal(err)
	}
	c.Compact(t)
	if revision := c.Compact(t); revision < second.Header.Revision { // again, with nothing written in between
		t.Errorf("Compact() = %d, want at least %d", revision, second.Header.Revision)
	}
	_, err = client.Get(ctx, t.Name(), clientv3.WithRev(first.Header.Revision))
	if !errors.Is(err, rpctypes.ErrCompacted) {
		t.Errorf("Get of the past = %v, want ErrCompacted", err)
	}
}

// The leader of three is kept apart from the two others: they elect another, its
// clients still reach it and see that it does not serve, and all is well
// again when the partition ends.
func TestEtcdIsolatedLeader(t *testing.T) {
	c := StartEtcd(t, WithNodes(3))
	old := c.Leader(t)
	client := etcdClient(t, clientv3.Config{Endpoints: c.Link().To(old).Endpoints()})
	if _, err := client.Put(within(t, serverLimit), "key", "before"); err != nil {
		t.Fatal(err)
	}
	undo := c.Isolate(t, old)
	poll := within(t, time.Minute)
	for leader := c.Leader(t); leader == old; leader = c.Leader(t) {
		if poll.Err() != nil {
			t.Fatal("no other leader is elected")
		}
	}
	got, err := client.Get(within(t, serverLimit), "key", clientv3.WithSerializable())
	if err != nil || len(got.Kvs) != 1 {
		t.Errorf("a local read over the link = %v, %v; the link must be up", got, err)
	}
	if _, err := client.Put(within(t, 2*time.Second), "key", "during"); err == nil {
		t.Error("a write at a leader without a majority has succeeded")
	}
	undo()
	if _, err := client.Put(within(t, serverLimit), "key", "after"); err != nil {
		t.Errorf("after undo: %v", err)
	}
}
