package zookeepertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-zookeeper/zk"
	"github.com/testcontainers/testcontainers-go"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// backend is ZooKeeper, as the hazards see it.
var backend = hazards.Backend{
	Name: "zookeeper", TTL: ttl, TermTTL: ttl, SideBySide: 6, Trials: 50, Together: 10,
	ToldOfOutage: []error{reception.ErrDisconnected, reception.ErrSessionExpired},
	Shared: func(tb testing.TB) *containers.Cluster {
		tb.Helper()
		return containers.SharedZooKeeper(tb).Cluster
	},
	Start: func(tb testing.TB, opts ...testcontainers.ContainerCustomizer) *containers.Cluster {
		tb.Helper()
		return containers.StartZooKeeper(tb, opts...).Cluster
	},
	Ensemble: func(tb testing.TB) *containers.Cluster {
		tb.Helper()
		return containers.StartZooKeeper(tb, containers.WithNodes(3)).Cluster
	},
	Entry: (*containers.Cluster).Endpoints,
	Split: separated,
	Connect: func(ctx context.Context, endpoints []string, s hazards.Settings) (reception.Client, error) {
		return zookeeper.Dial(ctx, strings.Join(endpoints, ","), options(s)...)
	},
	Admin:   administer,
	Watches: watches,
	Lacks: map[hazards.Ability]string{
		hazards.Overwrite: "what an instance is stands in the name of its node too, so other data make no other instance; " +
			"and the SDK never reads a node twice",
		hazards.Unwatch: "the vendor's client cannot take a watch back; the one of a service stays until something changes " +
			"there, and serves the next watchers",
	},
}

// separated cuts a follower off from the leader of the servers, and from nobody else.
func separated(tb testing.TB, cluster *containers.Cluster, _ int) hazards.Split {
	tb.Helper()
	leader, follower := cluster.Leader(tb), cluster.Follower(tb)
	rest := slices.DeleteFunc(slices.Clone(cluster.Nodes()), func(n *containers.Node) bool { return n == follower })
	return hazards.Split{Holder: follower, Rest: rest, Cut: func() func() { return cluster.Partition(tb, follower, leader) }}
}

func administer(tb testing.TB, server *containers.Cluster, prefix string) hazards.Admin {
	tb.Helper()
	servers := &containers.ZooKeeperCluster{Cluster: server}
	s := &stage{t: tb, server: servers, admin: open(tb, server.Endpoints()...), prefix: prefix}
	node := func(name, id string) string {
		if nodes := s.nodes(name, id); len(nodes) > 0 {
			return nodes[len(nodes)-1]
		}
		return ""
	}
	return hazards.Admin{
		Remove: s.remove,
		End:    func(name, id string) { servers.ExpireSession(tb, owner(tb, s.admin, node(name, id))) },
		Depose: func(election string) {
			names, _, err := s.admin.Children(prefix + "/elections/" + election)
			ok(tb, err)
			first := slices.MinFunc(names, func(a, b string) int { return strings.Compare(sequence(a), sequence(b)) })
			s.delete(prefix + "/elections/" + election + "/" + first)
		},
		Spoil: func(name string) (paths []string) {
			for node, data := range map[string]string{
				"_c_x": "\x00{", "1,": "\x00{", "%zz": "\x00{", "empty": "", "list": "[]", "bare": `{"port":80}`,
			} {
				s.put(s.services(name)+"/"+node, []byte(data))
				paths = append(paths, s.services(name)+"/"+node)
			}
			return paths
		},
		Plant:   s.foreign,
		Version: node,
		Recreate: func(election string) {
			var err error // after a restart the vendor's client finds the server when it next tries
			eventually(tb, hazards.Step, func() string { return fmt.Sprintf("%s is deleted: %v", election, err) }, func() bool {
				err = deleteAll(s.admin, prefix+"/elections/"+election)
				return !errors.Is(err, zk.ErrNoServer) && !errors.Is(err, zk.ErrConnectionClosed)
			})
			ok(tb, err)
		},
	}
}

// sequence is the number that the servers have given a candidate.
func sequence(node string) string { return node[strings.LastIndexByte(node, '-')+1:] }

var watchCount = regexp.MustCompile(`(?m)^zk_watch_count\s+(\d+)$`)

// watches is how many watches a server has.
func watches(tb testing.TB, server *containers.Cluster) int {
	tb.Helper()
	conn, err := new(net.Dialer).DialContext(tb.Context(), "tcp", server.Endpoints()[0])
	ok(tb, err)
	defer func() { _ = conn.Close() }() // the server has closed it by now
	_, err = io.WriteString(conn, "mntr")
	ok(tb, err)
	text, err := io.ReadAll(conn)
	ok(tb, err)
	found := watchCount.FindSubmatch(text)
	if found == nil {
		tb.Fatalf("the server does not tell how many watches it has, but\n%s", text)
	}
	figure, err := strconv.Atoi(string(found[1]))
	ok(tb, err)
	return figure
}
