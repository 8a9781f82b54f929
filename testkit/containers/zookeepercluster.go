package containers

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"testing"

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
	if err := expireSession(ctx, c.anyAddress(tb), id); err != nil {
		tb.Fatalf("containers: expire session %#x: %v", id, err)
	}
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
