// Package etcdtest holds the etcd adapter to its contract on real servers.
package etcdtest

import (
	"os"
	"testing"

	"github.com/go-reception/sdk/testkit/containers"
)

func TestMain(m *testing.M) {
	if holds() { // this is the process that TestStoppedHolder starts
		return
	}
	os.Exit(containers.Main(m))
}
