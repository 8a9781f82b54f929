package etcd

import (
	"context"
	"sync"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

var _ driver.Inspector = (*backend)(nil)

// Inspect implements [driver.Inspector]. Servers of etcd show no clock.
func (b *backend) Inspect(ctx context.Context) ([]driver.Server, error) {
	endpoints := b.client.Endpoints()
	servers := make([]driver.Server, len(endpoints))
	var asking sync.WaitGroup
	for i, endpoint := range endpoints {
		asking.Go(func() { servers[i] = b.inspect(ctx, endpoint) })
	}
	asking.Wait()
	return servers, nil
}

// inspect asks one server.
func (b *backend) inspect(ctx context.Context, endpoint string) driver.Server {
	var status *clientv3.StatusResponse
	err := b.read(ctx, func(ctx context.Context) (err error) {
		status, err = b.client.Status(ctx, endpoint)
		return err
	})
	if err != nil {
		return driver.Server{Address: endpoint, Err: err}
	}
	return driver.Server{Address: endpoint, Version: status.Version, Role: role((*etcdserverpb.StatusResponse)(status))}
}

// role is what a server is in its cluster.
func role(status *etcdserverpb.StatusResponse) string {
	switch {
	case status.GetIsLearner():
		return "learner"
	case status.GetLeader() == 0:
		return "without a leader"
	case status.GetLeader() == status.GetHeader().GetMemberId():
		return "leader"
	}
	return "follower"
}
