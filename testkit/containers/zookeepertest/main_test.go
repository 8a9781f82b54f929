// Package zookeepertest holds the ZooKeeper adapter to its contract on real servers.
package zookeepertest

import (
	"flag"
	"os"
	"testing"

	"github.com/go-reception/sdk/testkit/containers"
)

func TestMain(m *testing.M) {
	if holds() { // this is the process that TestStoppedHolder starts
		return
	}
	flag.Parse()
	// These tests wait for time to pass, nearly all of their time, so that many of them fit on a processor.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(containers.Main(m))
}
