package containers

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// Main runs a package's tests, removes the shared servers, and makes sure that
// no container and no network of this run is left: if there is one, it is
// removed and the run has failed. It returns the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(containers.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), sweepLimit)
	defer cancel()
	if err := closeShared(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "containers: remove the shared servers: %v\n", err)
		code = max(code, 1)
	}
	if lifeline == nil {
		return code // nothing was started
	}
	left, err := sweep(ctx, runID)
	if err != nil {
		fmt.Fprintf(os.Stderr, "containers: look for what is left: %v\n", err)
		code = max(code, 1)
	}
	for _, thing := range left {
		fmt.Fprintf(os.Stderr, "containers: left behind by the tests: %s\n", thing)
		code = max(code, 1)
	}
	return code
}
