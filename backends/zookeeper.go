package backends

import (
	"context"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
)

// A ZkConfigFunc is a [zookeeper.Option].
type ZkConfigFunc = zookeeper.Option

// DialZk is [zookeeper.Dial].
func DialZk(ctx context.Context, addr string, configs ...ZkConfigFunc) (reception.Client, error) {
	return zookeeper.Dial(ctx, addr, configs...)
}

// DialExhibitor is [zookeeper.DialExhibitor].
func DialExhibitor(ctx context.Context, addr string, configs ...ZkConfigFunc) (reception.Client, error) {
	return zookeeper.DialExhibitor(ctx, addr, configs...)
}

// NewZkClient is [zookeeper.New]. Unlike that of the old library it also takes the connection's events, and reads them
// from then on.
func NewZkClient(conn *zk.Conn, events <-chan zk.Event, configs ...ZkConfigFunc) (reception.Client, error) {
	return zookeeper.New(conn, events, configs...)
}

// WithZkPrefix is [zookeeper.WithPrefix].
func WithZkPrefix(prefix string) ZkConfigFunc { return zookeeper.WithPrefix(prefix) }
