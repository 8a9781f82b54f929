package containers

import (
	"os"

	"github.com/go-reception/sdk/testkit/containers/internal/offline"
)

// Backend names a kind of server.
type Backend string

// The backends that the kit runs.
const (
	BackendConsul    Backend = "consul"
	BackendEtcd      Backend = "etcd"
	BackendZooKeeper Backend = "zookeeper"
)

// The official images that the kit is tested with. The versions are those of
// the stand-ins, but for ZooKeeper, where that is the Debian release's.
//
// The etcd project publishes in registries of its own, not in Docker's default
// one. Pull its image from there and tag it with this name, or name it, registry
// included, in RECEPTION_ETCD_IMAGE; or else the stand-in serves.
const (
	ConsulImage    = "hashicorp/consul:1.21.0"
	EtcdImage      = "coreos/etcd:v3.7.3"
	ZooKeeperImage = "zookeeper:3.8.4"
)

// Backends returns all backends.
func Backends() []Backend { return []Backend{BackendConsul, BackendEtcd, BackendZooKeeper} }

// product is what the kit knows about a backend without running it.
type product struct {
	official string
	standIn  func() offline.Recipe
	imageVar string // the environment variable that names an image
	addrVar  string // the one that names a server
}

var products = map[Backend]product{
	BackendConsul:    {ConsulImage, offline.Consul, "RECEPTION_CONSUL_IMAGE", "RECEPTION_CONSUL_ADDR"},
	BackendEtcd:      {EtcdImage, offline.Etcd, "RECEPTION_ETCD_IMAGE", "RECEPTION_ETCD_ADDR"},
	BackendZooKeeper: {ZooKeeperImage, offline.ZooKeeper, "RECEPTION_ZOOKEEPER_IMAGE", "RECEPTION_ZOOKEEPER_ADDR"},
}

// inCI says whether a test that cannot run must fail.
func inCI() bool { return os.Getenv("CI") != "" }
