// Package chaostest plays random schedules of faults on real servers, and measures how long fail-overs take.
//
// CI plays three schedules on each backend, in one of which the data is lost. The flags make it more, and have a report
// written:
//
//	go tool task soak
//	go test ./chaostest -run 'TestSchedules/etcd' -v -schedules 50 -lanes 4 -report $PWD/../../docs/soak
//	go test ./chaostest -run 'TestFailover/consul' -v -trials 200 -report $PWD/../../docs/soak    # five minutes
//	go test ./chaostest -run 'TestSchedules/etcd' -v -seed 17
package chaostest

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"github.com/go-reception/sdk/testkit/containers"
)

var (
	schedules = flag.Int("schedules", 3, "how many random schedules to play on each backend")
	lanes     = flag.Int("lanes", 3, "how many of them side by side, each on a cluster of its own")
	trials    = flag.Int("trials", 20, "how many fail-overs to measure of each kind, on each backend")
	seed      = flag.Uint64("seed", 0, "play only the schedule of this seed")
	keep      = flag.String("keep", os.TempDir(), "the folder for histories of runs that have failed")
	report    = flag.String("report", "", "the folder for the report")
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Those side by side mostly wait.
	if err := flag.Set("test.parallel", strconv.Itoa(*lanes)); err != nil {
		panic(err)
	}
	os.Exit(containers.Main(m))
}
