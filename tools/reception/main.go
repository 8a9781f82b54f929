// Reception is the command for looking at a cluster, and for seeing what the SDK does.
//
//	go run ./tools/reception demo
//
// shows registrations, watches and an election on a cluster that runs inside the command, with nothing else installed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit statuses of the command.
const (
	exitFailure = 1 // what was asked for did not work out
	exitUsage   = 2 // the command line makes no sense
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run runs the command with args and returns its exit status.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{
		Use:           "reception",
		Short:         "Service discovery and leader election over Consul, etcd and ZooKeeper",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(demoCommand())
	root.SetArgs(args)
	usage := true
	root.PersistentPreRun = func(*cobra.Command, []string) { usage = false }
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "reception: interrupted")
		return exitFailure
	case usage:
		fmt.Fprintf(os.Stderr, "reception: %v\nRun 'reception --help' for what there is.\n", err)
		return exitUsage
	}
	fmt.Fprintf(os.Stderr, "reception: %v\n", err)
	return exitFailure
}
