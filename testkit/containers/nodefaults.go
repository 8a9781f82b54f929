package containers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/moby/moby/client"
)

// Stop stops the server in good order; its endpoints refuse connections. Undo
// starts it again, on its old data and behind the same endpoints, without
// waiting until it serves: see [Cluster.AwaitReady].
func (n *Node) Stop(tb testing.TB) (undo func()) {
	tb.Helper()
	return n.end(tb, "stop", func(ctx context.Context, engine client.APIClient, id string) error {
		_, err := engine.ContainerStop(ctx, id, client.ContainerStopOptions{})
		return err
	})
}

// Kill ends the server with SIGKILL, as a crash does. Undo is that of Stop.
func (n *Node) Kill(tb testing.TB) (undo func()) {
	tb.Helper()
	return n.end(tb, "kill", func(ctx context.Context, engine client.APIClient, id string) error {
		if _, err := engine.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "SIGKILL"}); err != nil {
			return err
		}
		gone := engine.ContainerWait(ctx, id, client.ContainerWaitOptions{})
		select {
		case err := <-gone.Error:
			return err
		case <-gone.Result:
			return nil
		}
	})
}

// end is what Stop and Kill have in common.
func (n *Node) end(
	tb testing.TB, what string, how func(ctx context.Context, engine client.APIClient, id string) error,
) (undo func()) {
	tb.Helper()
	return n.fault(tb, what, func(ctx context.Context, engine client.APIClient, id string) error {
		return errors.Join(how(ctx, engine, id), n.point(""))
	}, func(ctx context.Context, _ client.APIClient, _ string) error { return n.start(ctx) })
}

// Pause freezes the server: its connections stay open and nothing moves, as on a
// machine that is suspended. Undo lets it go on.
func (n *Node) Pause(tb testing.TB) (undo func()) {
	tb.Helper()
	return n.fault(tb, "pause", func(ctx context.Context, engine client.APIClient, id string) error {
		n.setPaused(true)
		_, err := engine.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	}, func(ctx context.Context, engine client.APIClient, id string) error {
		_, err := engine.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		n.setPaused(false)
		return err
	})
}

func (n *Node) setPaused(paused bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused = paused
}

// fault does something to the node's container and returns how to undo it.
func (n *Node) fault(tb testing.TB, what string, do, undo func(context.Context, client.APIClient, string) error) func() {
	tb.Helper()
	n.needContainer(tb)
	with := func(ctx context.Context, act func(context.Context, client.APIClient, string) error) error {
		engine, err := dockerEngine(ctx)
		if err != nil {
			return err
		}
		return act(ctx, engine, n.Container().GetContainerID())
	}
	return n.cluster.fault(tb, fmt.Sprintf("%s %s", what, n),
		func(ctx context.Context) error { return with(ctx, do) },
		func(ctx context.Context) error { return with(ctx, undo) })
}

// needContainer ends a test that needs what only the kit's own servers can do.
func (n *Node) needContainer(tb testing.TB) {
	tb.Helper()
	if n.external != "" {
		unavailable(tb, fmt.Errorf("it needs a server of the kit's own, and %s is given by the environment", n.external))
	}
}

// fault does something to the cluster. The function that it returns undoes that,
// once; it runs at the end of the test at the latest.
func (c *Cluster) fault(tb testing.TB, what string, do, undo func(ctx context.Context) error) func() {
	tb.Helper()
	run := func(act func(ctx context.Context) error) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), undoLimit)
		defer cancel()
		return act(ctx)
	}
	c.mend(tb)
	if err := run(do); err != nil {
		tb.Fatalf("containers: %s: %v", what, err)
	}
	var once sync.Once
	undone := func() {
		tb.Helper()
		once.Do(func() {
			if err := run(undo); err != nil {
				tb.Errorf("containers: undo %s: %v", what, err)
			}
		})
	}
	if tb != c.owner { // else the cluster goes with the test, and nothing needs to be undone
		tb.Cleanup(undone)
	}
	return undone
}

// mend sees to it that the cluster serves again when a test is over that has
// faults on it. It must come before the test's first fault: what a test cleans up
// last is what it registered first, and by then all faults are undone.
func (c *Cluster) mend(tb testing.TB) {
	tb.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if tb == c.owner || c.mending[tb] {
		return
	}
	if c.mending == nil {
		c.mending = map[testing.TB]bool{}
	}
	c.mending[tb] = true
	tb.Cleanup(func() {
		c.mu.Lock()
		delete(c.mending, tb)
		c.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), undoLimit)
		defer cancel()
		if err := c.awaitReady(ctx); err != nil {
			tb.Errorf("containers: %s does not serve after the test's faults: %v", c.settings.backend, err)
		}
	})
}
