// Package zookeepertest holds the ZooKeeper adapter to its contract on real servers.
package zookeepertest

import (
	"os"
	"testing"

	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

func TestMain(m *testing.M) { os.Exit(hazards.Main(m, backend)) }
