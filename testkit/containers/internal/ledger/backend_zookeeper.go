package ledger

import (
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/ledger/wire"
)

// zooKeeperBackend is ZooKeeper.
var zooKeeperBackend = Backend{
	Name:     "zookeeper",
	LeadTTL:  3 * time.Second,
	Protocol: wire.ZooKeeper,
	Start: func(ctx context.Context) (Server, error) {
		box, err := containers.RunZooKeeper(ctx, "")
		if err != nil {
			return nil, err
		}
		return started(ctx, box, containers.BackendZooKeeper, "github.com/go-zookeeper/zk",
			box.ClientEndpoint, zooKeeperVersion)
	},
	SDK: func(ctx context.Context, _ Server, way Way) (reception.Client, error) {
		return zookeeper.Dial(ctx, way.Addr, zookeeper.WithPrefix(prefix), zookeeper.WithSessionTimeout(way.TTL))
	},
	Bare: func(ctx context.Context, _ Server, way Way) (Party, error) { return connectZooKeeper(ctx, way) },
	Fill: fillZooKeeper,
}

// zooKeeperVersion asks for the statistics, which the test kit's servers tell everybody. The library's own function for
// that does not understand how Debian's package names its version.
func zooKeeperVersion(ctx context.Context, addr string) (string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // the server closes it, too
	if _, err := conn.Write([]byte("srvr")); err != nil {
		return "", err
	}
	stats, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	version := regexp.MustCompile(`version: ([\d.]+)`).FindSubmatch(stats)
	if version == nil {
		return "", fmt.Errorf("zookeeper does not tell its version: %q", stats)
	}
	return string(version[1]), nil
}

// zooKeeperValue is what the SDK stores of Instance.
const zooKeeperValue = etcdValue

// zooKeeperFolder is where the SDK stores the instances of a name.
func zooKeeperFolder(name string) string { return prefix + "/services/" + name }

// zooKeeperNode is where the SDK stores an instance, but for the mark, which is another one for each write.
func zooKeeperNode(name, id string) string {
	return zooKeeperFolder(name) + "/" + id + ",ABCDEFGHIJKLMNOPQRSTUVWXYZ"
}

// fillZooKeeper stores instances in transactions.
func fillZooKeeper(ctx context.Context, server Server, name string, n int) error {
	conn, err := openZooKeeper(ctx, Way{Addr: server.Addr(), TTL: defaultTTL})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := createParents(conn, zooKeeperFolder(name)); err != nil {
		return err
	}
	const most = 500 // so that a request stays far below the servers' limit of 1 MiB
	for i := 0; i < n; i += most {
		var creates []any
		for j := i; j < min(i+most, n); j++ {
			creates = append(creates, &zk.CreateRequest{
				Path: zooKeeperNode(name, fmt.Sprint(j)), Data: []byte(zooKeeperValue), Acl: open,
			})
		}
		if _, err := conn.Multi(creates...); err != nil {
			return err
		}
	}
	return nil
}
