// Package etcdtest holds the etcd adapter to its contract on real servers.
package etcdtest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/go-reception/sdk/testkit/containers"
)

// sideBySide is how many tests run at a time for each processor: they wait for servers and for time to pass.
const sideBySide = 8

func TestMain(m *testing.M) {
	if holds() { // this is the process that TestH2StoppedHolder starts
		return
	}
	flag.Parse()
	if err := parallel(sideBySide * runtime.GOMAXPROCS(0)); err != nil {
		panic(err)
	}
	os.Exit(containers.Main(m))
}

// parallel sets how many tests run at a time, unless somebody has said that already.
func parallel(n int) error {
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if said {
		return nil
	}
	return flag.Set("test.parallel", fmt.Sprint(n))
}
