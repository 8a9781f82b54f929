package fencetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	consul "github.com/hashicorp/consul/api"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/fence"
	"github.com/go-reception/sdk/testkit/containers"
)

func TestEtcd(t *testing.T) {
	t.Parallel()
	client, err := clientv3.New(clientv3.Config{Endpoints: containers.SharedEtcd(t).Endpoints()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // whatever it says, there is nothing to be done
	fences(t, &etcdStore[int]{client, "/balance"})
}

func TestConsul(t *testing.T) {
	t.Parallel()
	client, err := consul.NewClient(&consul.Config{Address: containers.SharedConsul(t).Endpoints()[0]})
	if err != nil {
		t.Fatal(err)
	}
	fences(t, &consulStore[int]{client, "balance"})
}

func TestZooKeeper(t *testing.T) {
	t.Parallel()
	conn, _, err := zk.Connect(containers.SharedZooKeeper(t).Endpoints(), 10*time.Second, zk.WithLogInfo(false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	fences(t, &zookeeperStore[int]{conn, "/balance"})
}

func increment(n int) (int, error) { return n + 1, nil }

// fences checks that a store keeps terms apart, and loses no update of one.
func fences(t *testing.T, store fence.Store[int]) {
	t.Helper()
	ctx := t.Context()
	if value, err := fence.Claim(ctx, store, 33); value != 0 || err != nil {
		t.Fatalf("the first claim: %d, %v", value, err)
	}
	var group sync.WaitGroup
	const writers, each = 4, 10
	for range writers {
		group.Go(func() {
			for range each {
				if _, err := fence.Update(ctx, store, 33, increment); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if value, err := fence.Claim(ctx, store, 34); value != writers*each || err != nil {
		t.Fatalf("the next term finds %d, want %d: %v", value, writers*each, err)
	}
	_, err := fence.Update(ctx, store, 33, increment)
	if stale, is := errors.AsType[*fence.StaleError](err); !is || *stale != (fence.StaleError{Token: 33, Newest: 34}) {
		t.Errorf("a write of the term before: %v", err)
	}
	// The old leader has read, and is paused before it writes; the new one claims meanwhile.
	_, err = fence.Update(ctx, store, 34, func(n int) (int, error) {
		_, err := fence.Claim(ctx, store, 35)
		return n + 1000, err
	})
	if !errors.Is(err, fence.ErrStale) {
		t.Errorf("a write that was overtaken: %v", err)
	}
	if value, err := fence.Claim(ctx, store, 35); value != writers*each || err != nil {
		t.Errorf("in the end it is %d, want %d: %v", value, writers*each, err)
	}
}
