package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// reaperVar makes a process of this binary the reaper of the run it names.
const reaperVar = "RECEPTION_CONTAINERS_REAPER"

// sweepLimit bounds the removal of everything that a run has left.
const sweepLimit = time.Minute

// A process that has the variable set is no test: it waits until the test
// process that started it is gone, however it ended, and removes what is left.
func init() {
	run := os.Getenv(reaperVar)
	if run == "" {
		return
	}
	signal.Ignore(os.Interrupt) // it goes to the whole group; the test dies of it, the reaper must not
	if err := reap(run); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func reap(run string) error {
	_, err := io.Copy(io.Discard, os.Stdin)
	ctx, cancel := context.WithTimeout(context.Background(), sweepLimit)
	defer cancel()
	_, swept := sweep(ctx, run)
	return errors.Join(err, swept)
}

// lifeline is the writing end of a pipe to the reaper. Nothing is ever written:
// the system closes it when this process ends.
var lifeline *os.File

// startReaper starts the reaper, once, before the first container.
var startReaper = sync.OnceValue(func() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	// It must not inherit standard output: `go test` waits for whoever has it.
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), reaperVar+"="+runID)
	cmd.Stdin = read
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start the reaper: %w", err), read.Close(), write.Close())
	}
	lifeline = write
	return read.Close()
})

// sweep removes the containers and networks of a run, and says what it found.
func sweep(ctx context.Context, run string) (found []string, err error) {
	engine, err := dockerEngine(ctx)
	if err != nil {
		return nil, err
	}
	ours := make(client.Filters).Add("label", labelRun+"="+run)
	containers, err := engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return nil, err
	}
	networks, err := engine.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, c := range containers.Items {
		found = append(found, fmt.Sprintf("container %.12s of %s", c.ID, c.Image))
		errs = append(errs, removeContainer(ctx, engine, c.ID))
	}
	for _, n := range networks.Items {
		found = append(found, "network "+n.Name)
		_, err := engine.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		errs = append(errs, ignoreNotFound(err))
	}
	return found, errors.Join(errs...)
}

func removeContainer(ctx context.Context, engine client.APIClient, id string) error {
	_, err := engine.ContainerRemove(ctx, id, client.ContainerRemoveOptions{RemoveVolumes: true, Force: true})
	return ignoreNotFound(err)
}

func ignoreNotFound(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
