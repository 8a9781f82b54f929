package hazards

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/go-reception/sdk/testkit/containers"
)

// Main is what the TestMain of an adapter's package does, in place of [containers.Main]: it runs the tests side by side, or
// is the process that [StoppedHolder] has started.
func Main(m *testing.M, b Backend) int {
	if holds(b) {
		return 0
	}
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		if err := flag.Set("test.parallel", fmt.Sprint(b.SideBySide*runtime.GOMAXPROCS(0))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return containers.Main(m)
}
