// Package containers is empty so far. It is the place of the test kit that
// starts real Consul, etcd and ZooKeeper servers in containers, and of the
// adapters' tests against them. It is a module of its own so that container
// libraries stay out of the dependency graph of whoever imports the SDK.
package containers
