package etcdtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// backend is etcd, as the hazards see it.
var backend = hazards.Backend{
	Name: "etcd", TTL: ttl, TermTTL: ttl, SideBySide: 8, Trials: 50, Together: 10,
	ToldOfOutage: []error{reception.ErrDisconnected, reception.ErrSessionExpired},
	Shared: func(tb testing.TB) *containers.Cluster {
		tb.Helper()
		return containers.SharedEtcd(tb).Cluster
	},
	Start: func(tb testing.TB, opts ...testcontainers.ContainerCustomizer) *containers.Cluster {
		tb.Helper()
		return containers.StartEtcd(tb, opts...).Cluster
	},
	Ensemble: func(tb testing.TB) *containers.Cluster {
		tb.Helper()
		return containers.StartEtcd(tb, containers.WithNodes(3)).Cluster
	},
	Entry: (*containers.Cluster).Endpoints,
	Split: isolated,
	Connect: func(ctx context.Context, endpoints []string, s hazards.Settings) (reception.Client, error) {
		return etcd.Dial(ctx, strings.Join(endpoints, ","), options(s)...)
	},
	Admin:   administer,
	Watches: watches,
	Lacks: map[hazards.Ability]string{
		hazards.Recreate: "candidates are keys with a common prefix, and have no parent that could be deleted",
	},
}

// isolated cuts a server off from both others: the leader of the servers and a follower, in turn.
func isolated(tb testing.TB, cluster *containers.Cluster, round int) hazards.Split {
	tb.Helper()
	node := cluster.Leader(tb)
	if round%2 == 1 {
		node = cluster.Follower(tb)
	}
	rest := slices.DeleteFunc(slices.Clone(cluster.Nodes()), func(n *containers.Node) bool { return n == node })
	return hazards.Split{Holder: node, Rest: rest, Cut: func() func() { return cluster.Isolate(tb, node) }}
}

func administer(tb testing.TB, server *containers.Cluster, prefix string) hazards.Admin {
	tb.Helper()
	s := &stage{t: tb, admin: open(tb, server.Endpoints()), prefix: prefix}
	key := func(name, id string) string { return prefix + "/services/" + name + "/" + id }
	record := func(name, id string) *mvccpb.KeyValue {
		found, err := s.admin.Get(tb.Context(), key(name, id))
		ok(tb, err)
		if len(found.Kvs) == 0 {
			return &mvccpb.KeyValue{}
		}
		return found.Kvs[0]
	}
	return hazards.Admin{
		Remove: func(name, id string) { s.delete(key(name, id)) },
		End: func(name, id string) {
			_, err := s.admin.Revoke(tb.Context(), clientv3.LeaseID(record(name, id).Lease))
			ok(tb, err)
		},
		Depose: func(election string) {
			head, err := s.admin.Get(tb.Context(), prefix+"/elections/"+election+"/", clientv3.WithFirstCreate()...)
			ok(tb, err)
			s.delete(string(head.Kvs[0].Key))
		},
		Overwrite: func(name, id string) { s.put(key(name, id), "garbage") },
		Spoil: func(name string) (keys []string) {
			for id, value := range map[string]string{
				"bad": "\x00\xff", "empty": "", "list": "[]", "deep/er": `{"address":"192.0.2.9"}`, "bare": `{"port":80}`,
			} {
				s.put(key(name, id), value)
				keys = append(keys, key(name, id))
			}
			return keys
		},
		Plant: s.foreign,
		Version: func(name, id string) string {
			if revision := record(name, id).ModRevision; revision > 0 {
				return fmt.Sprint(revision)
			}
			return ""
		},
	}
}

// watches is how many watches a server has.
func watches(tb testing.TB, server *containers.Cluster) int {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "http://"+server.Endpoints()[0]+"/metrics", http.NoBody)
	ok(tb, err)
	response, err := http.DefaultClient.Do(request)
	ok(tb, err)
	defer func() { _ = response.Body.Close() }() // it was read to its end
	text, err := io.ReadAll(response.Body)
	ok(tb, err)
	found := regexp.MustCompile(`(?m)^etcd_debugging_mvcc_watcher_total (\d+)$`).FindSubmatch(text)
	if found == nil {
		tb.Fatal("the server does not tell how many watches it has")
	}
	figure, err := strconv.Atoi(string(found[1]))
	ok(tb, err)
	return figure
}
