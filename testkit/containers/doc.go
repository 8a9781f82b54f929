// Package containers runs real Consul, etcd and ZooKeeper servers in containers
// for integration tests: single ones and clusters of them, with faults on the
// nodes, on the network between them, and on the way to them.
//
//	func TestMain(m *testing.M) { os.Exit(containers.Main(m)) }
//
//	func TestDiscovery(t *testing.T) {
//		client := containers.Etcd(t)
//		...
//	}
//
// [Etcd] and [ZooKeeper] return a client of the SDK. [SharedConsul], [SharedEtcd] and
// [SharedZooKeeper] start one server per test binary. [StartConsul], [StartEtcd]
// and [StartZooKeeper] start servers for one test, with options such as
// [WithNodes] and [WithTLS]. [RunConsul], [RunEtcd] and [RunZooKeeper] have the
// form of testcontainers' modules and return the bare container.
// [StartExhibitor] needs no container.
//
// # Endpoints
//
// A container's mapped port changes at every restart. What a [Cluster] hands out
// are therefore endpoints of a [Link], a proxy for each node on a port of this
// machine that stays the same as long as the cluster lives. A second client gets
// a link of its own from [Cluster.NewLink], so that a fault hits only one of them.
//
// # Faults
//
// A [Node] can be stopped, killed and paused. A [Link] can be cut, blackholed,
// reset, delayed and throttled. [Cluster.Partition] and [Cluster.Isolate] keep
// servers apart while the clients' links stay up. Every fault returns the function
// that undoes it, and is undone at the end of the test at the latest.
//
// # Images
//
// [ChooseImage] prefers what an option or an environment variable names, then
// the pinned official image if it is there or can be pulled, then a stand-in that
// the command offlineimages builds without any image registry. Nothing in this
// package relies on a shell, or on anything else but the server, in an image.
//
// # Environment
//
//   - RECEPTION_CONSUL_IMAGE, RECEPTION_ETCD_IMAGE, RECEPTION_ZOOKEEPER_IMAGE:
//     images to use.
//   - RECEPTION_CONSUL_ADDR, RECEPTION_ETCD_ADDR, RECEPTION_ZOOKEEPER_ADDR:
//     servers that run already, as host:port, for the Shared functions. Tests
//     that ask for faults on their nodes do not run then.
//   - CI: when set, a test that cannot run because there is no engine or no image
//     fails; otherwise it is skipped and says why.
//   - Those of testcontainers. Its Ryuk container is not used unless
//     TESTCONTAINERS_RYUK_DISABLED=false asks for it.
//
// # Cleaning up
//
// What a test started goes at its end, shared servers go in [Main]. When the test
// binary dies of a panic, a time-out or a signal, a small process that outlives
// it removes what was left: the binary itself, started again with nothing to do
// but wait. It needs no privileges beyond the test's own.
package containers
