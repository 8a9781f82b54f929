// Reception is the command for seeing and using a cluster from a terminal.
//
//	reception --url etcd://127.0.0.1:2379 status
//
// lists who is there and who leads; `reception --help` tells the rest, and
//
//	go run ./tools/reception demo
//
// shows registrations, watches and an election on a cluster that runs inside the command, with nothing else installed.
package main

import (
	"os"

	_ "github.com/go-reception/sdk/backends/consul" // for its scheme, as are the others
	_ "github.com/go-reception/sdk/backends/etcd"
	_ "github.com/go-reception/sdk/backends/zookeeper"
	_ "github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/tools/reception/internal/cli"
	"github.com/go-reception/sdk/tools/reception/internal/job"
)

func main() {
	job.Keep(os.Args)
	os.Exit(cli.Main(os.Args[1:]))
}
