// Package fencetest has examples of package reception/fence for etcd, Consul and ZooKeeper, and their tests on real
// servers. Each is a fence.Store for one key or node, to be copied and adapted.
package fencetest

import (
	"os"
	"testing"

	"github.com/go-reception/sdk/testkit/containers"
)

func TestMain(m *testing.M) { os.Exit(containers.Main(m)) }
