// Package consultest holds the Consul adapter to its contract on real servers.
package consultest

import (
	"flag"
	"os"
	"testing"

	"github.com/go-reception/sdk/testkit/containers"
)

// sideBySide is how many tests run at a time: most of them wait, for a time to live to be over.
const sideBySide = "8"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		panic(err)
	}
	os.Exit(containers.Main(m))
}
