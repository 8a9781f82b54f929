package containers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
)

// ZooKeeperCluster is one or more ZooKeeper servers.
type ZooKeeperCluster struct{ *Cluster }

// StartZooKeeper starts a ZooKeeper server, or with [WithNodes] several, for one
// test, and returns when all of them serve.
func StartZooKeeper(tb testing.TB, opts ...testcontainers.ContainerCustomizer) *ZooKeeperCluster {
	tb.Helper()
	return &ZooKeeperCluster{start(tb, zooKeeperKind{}, BackendZooKeeper, opts)}
}

// SharedZooKeeper returns the ZooKeeper server that all tests of this binary
// share, and starts it for the first of them; see [Main].
func SharedZooKeeper(tb testing.TB) *ZooKeeperCluster {
	tb.Helper()
	return &ZooKeeperCluster{share(tb, zooKeeperKind{}, BackendZooKeeper)}
}

// Sessions returns the IDs of the sessions that the servers know.
func (c *ZooKeeperCluster) Sessions(tb testing.TB) []int64 {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), engineLimit)
	defer cancel()
	ids, err := zooKeeperSessions(ctx, c.Leader(tb).address())
	if err != nil {
		tb.Fatalf("containers: sessions: %v", err)
	}
	return ids
}

// ExpireSession ends a session on the servers at once, and with it its ephemeral
// nodes, as its time-out would. Its client learns that the session has expired.
func (c *ZooKeeperCluster) ExpireSession(tb testing.TB, id int64) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), engineLimit)
	defer cancel()
	if err := c.TryExpireSession(ctx, id); err != nil {
		tb.Fatalf("containers: expire session %#x: %v", id, err)
	}
}

// TryExpireSession is ExpireSession where the servers may be in trouble, too. It asks
// one after the other. After an error the session may have ended all the same.
func (c *ZooKeeperCluster) TryExpireSession(ctx context.Context, id int64) error {
	err := errors.New("no server is running")
	for i, n := range c.nodes {
		addr := n.address()
		if addr == "" {
			continue
		}
		if err = expireAt(ctx, addr, id, len(c.nodes)-i); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

// expireAt ends a session at one server. It leaves time for those that are left to be asked.
func expireAt(ctx context.Context, addr string, id int64, left int) error {
	if deadline, limited := ctx.Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	return expireSession(ctx, addr, id)
}

var sessionPattern = regexp.MustCompile(`(?m)^\s*(?:\d+ )?0x([0-9a-f]+)$`)

// zooKeeperSessions returns what the leader's list of sessions has.
func zooKeeperSessions(ctx context.Context, addr string) ([]int64, error) {
	text, err := fourLetters(ctx, addr, "dump")
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, match := range sessionPattern.FindAllStringSubmatch(text, -1) {
		id, err := strconv.ParseUint(match[1], 16, 64)
		if err != nil {
			return nil, fmt.Errorf("zookeeper's list of sessions: %w", err)
		}
		ids = append(ids, int64(id))
	}
	return ids, nil
}

// zooKeeperKind is what is particular to clusters of ZooKeeper.
type zooKeeperKind struct{}

func (zooKeeperKind) run(ctx context.Context, image string, opts ...testcontainers.ContainerCustomizer) (
	testcontainers.Container, error,
) {
	c, err := RunZooKeeper(ctx, image, opts...)
	if c == nil {
		return nil, err
	}
	return c, err
}

func (zooKeeperKind) port(*settings) string { return zooKeeperPort }

func (zooKeeperKind) probe(*settings) (probe, error) { return zooKeeperProbe, nil }

func (zooKeeperKind) setUp(context.Context, *settings, *Node) error { return nil }

func (zooKeeperKind) leads(ctx context.Context, _ *settings, addr string, _ *Node) (bool, error) {
	mode, err := zooKeeperMode(ctx, addr)
	return mode == "leader" || mode == "standalone", err
}
