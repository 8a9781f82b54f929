package backends

import (
	"context"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
)

// An EtcdConfigFunc is an [etcd.Option].
type EtcdConfigFunc = etcd.Option

// DialEtcd is [etcd.Dial].
func DialEtcd(ctx context.Context, addr string, configs ...EtcdConfigFunc) (reception.Client, error) {
	return etcd.Dial(ctx, addr, configs...)
}

// NewEtcdClient is [etcd.New]. The client is one of etcd v3, where that of the old library was one of v2.
func NewEtcdClient(client *clientv3.Client, configs ...EtcdConfigFunc) (reception.Client, error) {
	return etcd.New(client, configs...)
}

// WithEtcdPrefix is [etcd.WithPrefix].
func WithEtcdPrefix(prefix string) EtcdConfigFunc { return etcd.WithPrefix(prefix) }

// WithTTL is [etcd.WithTTL].
func WithTTL(ttl time.Duration) EtcdConfigFunc { return etcd.WithTTL(ttl) }

// WithRefreshInterval is [etcd.WithRefreshInterval].
func WithRefreshInterval(interval time.Duration) EtcdConfigFunc {
	return etcd.WithRefreshInterval(interval)
}
