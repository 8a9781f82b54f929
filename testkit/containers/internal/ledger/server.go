package ledger

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"

	"github.com/go-reception/sdk/testkit/containers"
)

// prefix is where everything is stored.
const prefix = "/ledger"

// container is a server in a container.
type container struct {
	box      testcontainers.Container
	addr     string
	versions map[string]string
}

func (c *container) Addr() string                { return c.addr }
func (c *container) Versions() map[string]string { return c.versions }

func (c *container) Close() error {
	const limit = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return c.box.Terminate(ctx, testcontainers.StopTimeout(0))
}

// started makes a Server of a container whose client endpoint is a host and a port, or a URL of these. version asks the
// server what it is; library is the module path of the vendor's client.
func started(
	ctx context.Context, box testcontainers.Container, backend containers.Backend, library string,
	endpoint func(context.Context) (string, error), version func(ctx context.Context, addr string) (string, error),
) (Server, error) {
	c := &container{box: box}
	addr, err := endpoint(ctx)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if _, host, isURL := strings.Cut(addr, "://"); isURL {
		addr = host
	}
	c.addr = strings.Replace(addr, "localhost", "127.0.0.1", 1) // not tried by IPv6 first
	release, err := version(ctx, c.addr)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	image, err := containers.ChooseImage(ctx, backend)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.versions = map[string]string{
		string(backend) + " server": release + ", from its " + string(image.Source),
		string(backend) + " client": library + " " + module(library),
	}
	return c, nil
}

// module returns the version of a module that this program is built with.
func module(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of unknown version"
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "of unknown version"
}
