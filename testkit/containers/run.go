package containers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// HostName is the name under which the containers reach this machine: that is
// what a service under test announces when a server, such as Consul with its
// health checks, is to call it.
const HostName = "host.docker.internal"

// logLines is how much of a container's log an error carries.
const logLines = 20

// run starts a container: the kit's own customizers, then the user's. On error
// it returns the container too, if there is one.
func run(ctx context.Context, image string, s *settings, own, users []testcontainers.ContainerCustomizer) (
	testcontainers.Container, error,
) {
	if image == "" {
		chosen, err := ChooseImage(ctx, s.backend)
		if err != nil {
			return nil, err
		}
		image = chosen.Ref
	}
	if err := provide(ctx, image); err != nil {
		return nil, fmt.Errorf("run %s: %w", s.backend, err)
	}
	if err := startReaper(); err != nil {
		return nil, err
	}
	all := []testcontainers.ContainerCustomizer{
		testcontainers.WithLogger(silent{}),
		testcontainers.WithLabels(labels()),
		testcontainers.WithHostConfigModifier(func(c *container.HostConfig) {
			c.ExtraHosts = append(c.ExtraHosts, HostName+":host-gateway")
		}),
	}
	all = append(append(all, s.place.customizers()...), own...)
	// Creating and starting have the engine's limit on top of the server's.
	ctx, cancel := context.WithTimeout(ctx, s.startupTimeout+engineLimit)
	defer cancel()
	started, err := testcontainers.Run(ctx, image, append(all, users...)...)
	if started == nil {
		if err != nil {
			err = fmt.Errorf("run %s from %s: %w", s.backend, image, err)
		}
		return nil, err // not started: an interface with a nil pointer in it is not nil
	}
	if err != nil {
		err = fmt.Errorf("run %s from %s: %w%s", s.backend, image, err, lastLog(ctx, started.GetContainerID()))
	}
	return started, err
}

// lastLog returns the end of a container's log, for an error's text.
func lastLog(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), engineLimit)
	defer cancel()
	engine, err := dockerEngine(ctx)
	if err != nil {
		return ""
	}
	logs, err := engine.ContainerLogs(ctx, id, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Tail: fmt.Sprint(logLines),
	})
	if err != nil {
		return fmt.Sprintf("\n(its log cannot be read: %v)", err)
	}
	defer logs.Close() //nolint:errcheck // it was only read
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, logs); err != nil && text.Len() == 0 {
		return fmt.Sprintf("\n(its log cannot be read: %v)", err)
	}
	if text.Len() == 0 {
		return "\n(its log is empty)"
	}
	return "\nthe last lines of its log:\n\t" + strings.ReplaceAll(strings.TrimSpace(text.String()), "\n", "\n\t")
}

// silent is a logger for testcontainers, which tells of every step otherwise.
type silent struct{}

// Printf discards the message.
func (silent) Printf(string, ...any) {}

// file is a file to be put into a container before it starts.
func file(path string, content []byte) testcontainers.ContainerFile {
	return testcontainers.ContainerFile{
		Reader: io.Reader(bytes.NewReader(content)), ContainerFilePath: path, FileMode: 0o644,
	}
}

// milliseconds formats a duration the way configuration files want it.
func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }
