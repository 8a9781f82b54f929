package containers

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Three servers that are wiped together serve again at the same endpoints, and know nothing of before.
func TestEtcdWipe(t *testing.T) {
	c := StartEtcd(t, WithNodes(3))
	client := etcdClient(t, clientv3.Config{Endpoints: c.Endpoints()})
	before, err := client.Put(within(t, serverLimit), "key", "value")
	if err != nil {
		t.Fatal(err)
	}
	c.Wipe(t)
	eventually(t, time.Minute, func(ctx context.Context) error {
		now, err := client.Get(ctx, "key")
		if err == nil && (now.Count > 0 || now.Header.Revision >= before.Header.Revision) {
			err = fmt.Errorf("there are %d, at revision %d", now.Count, now.Header.Revision)
		}
		return err
	})
}

func TestZooKeeperWipe(t *testing.T) {
	c := StartZooKeeper(t, WithNodes(3))
	conn, _ := zooKeeperClient(t, 10*time.Second, c.Endpoints()...)
	if _, err := conn.Create("/key", nil, zk.FlagPersistent, zk.WorldACL(zk.PermAll)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	c.Wipe(t)
	// The vendor's client of before would not be let in: it has seen later transactions.
	conn, _ = zooKeeperClient(t, 10*time.Second, c.Endpoints()...)
	eventually(t, time.Minute, func(context.Context) error {
		there, _, err := conn.Exists("/key")
		if err == nil && there {
			err = errors.New("it is still there")
		}
		return err
	})
}
