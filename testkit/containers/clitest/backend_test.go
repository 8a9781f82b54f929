package clitest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-reception/sdk/testkit/containers"
)

// A backend is a kind of server, and how the command is to find it.
type backend struct {
	name string
	// cluster returns the shared servers.
	cluster func(testing.TB) *containers.Cluster
	// url returns the address of servers, below a prefix, with the shortest time to live that they allow.
	url func(endpoints []string, prefix string) string
	// lasts is how long the servers may keep what a dead process has left.
	lasts time.Duration
}

// backends are all of them.
var backends = []backend{
	{
		name: "etcd",
		cluster: func(tb testing.TB) *containers.Cluster {
			tb.Helper()
			return containers.SharedEtcd(tb).Cluster
		},
		url: func(endpoints []string, prefix string) string {
			return "etcd://" + strings.Join(endpoints, ",") + "?prefix=" + prefix + "&ttl=3s"
		},
		lasts: 4500 * time.Millisecond,
	},
	{
		name: "zookeeper",
		cluster: func(tb testing.TB) *containers.Cluster {
			tb.Helper()
			return containers.SharedZooKeeper(tb).Cluster
		},
		url: func(endpoints []string, prefix string) string {
			return "zk://" + strings.Join(endpoints, ",") + "?prefix=" + prefix + "&timeout=4s"
		},
		lasts: 5500 * time.Millisecond,
	},
	{
		name: "consul",
		cluster: func(tb testing.TB) *containers.Cluster {
			tb.Helper()
			return containers.SharedConsul(tb).Cluster
		},
		url: func(endpoints []string, prefix string) string {
			return "consul://" + endpoints[0] + "?prefix=" + strings.TrimPrefix(prefix, "/") + "&ttl=3s"
		},
		lasts: 4500 * time.Millisecond,
	},
}

// onEach runs a test on every backend, with a place of its own there.
func onEach(t *testing.T, test func(p *place)) {
	t.Helper()
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			test(newPlace(t, b))
		})
	}
}

// A place is a prefix that nobody else uses, and ways to it.
type place struct {
	backend
	t       *testing.T
	servers *containers.Cluster
	prefix  string
	// suffix makes names that nobody else uses, for where prefixes are not for all.
	suffix string
}

func newPlace(t *testing.T, b backend) *place {
	t.Helper()
	id := uuid.NewString()
	return &place{backend: b, t: t, servers: b.cluster(t), prefix: "/reception-test/" + id, suffix: "-" + id[:8]}
}

// named returns a name that nobody else uses.
func (p *place) named(name string) string { return name + p.suffix }

// direct is the address for who wants no trouble.
func (p *place) direct() string { return p.url(p.servers.Endpoints(), p.prefix) }

// over is the address over a link of one's own.
func (p *place) over(link *containers.Link) string { return p.url(link.Endpoints(), p.prefix) }
