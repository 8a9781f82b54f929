package containers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// engineLimit bounds single requests to the engine.
const engineLimit = 30 * time.Second

// labelRun marks what one run of a test binary has started, beside the labels of
// testcontainers. Its value is runID.
const labelRun = "io.github.go-reception.run"

var runID = uuid.NewString()

func labels() map[string]string { return map[string]string{labelRun: runID} }

// connection is the connection to the engine, made at first use.
var connection struct {
	sync.Mutex
	client *testcontainers.DockerClient
}

// dockerEngine returns the container engine, or an error if none answers.
func dockerEngine(ctx context.Context) (client.APIClient, error) {
	connection.Lock()
	defer connection.Unlock()
	if connection.client != nil {
		return connection.client, nil
	}
	if err := setDefault("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, engineLimit)
	defer cancel()
	if err := pingConfigured(ctx); err != nil {
		return nil, noEngine(err)
	}
	engine, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, noEngine(err)
	}
	if _, err := engine.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return nil, noEngine(err)
	}
	if sharesNetwork(ctx, engine) {
		if err := setDefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1"); err != nil {
			return nil, err
		}
	}
	connection.client = engine
	return engine, nil
}

// pingConfigured makes sure that the engine that the user has named answers, if
// one is named: testcontainers would quietly take another one.
func pingConfigured(ctx context.Context) error {
	if os.Getenv(client.EnvOverrideHost) == "" {
		return nil
	}
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	_, err = engine.Ping(ctx, client.PingOptions{})
	return errors.Join(err, engine.Close())
}

func noEngine(err error) error { return fmt.Errorf("no container engine answers: %w", err) }

// setDefault sets an environment variable that testcontainers reads and that
// the user has not set.
func setDefault(variable, value string) error {
	if _, ok := os.LookupEnv(variable); ok {
		return nil
	}
	return os.Setenv(variable, value)
}

// sharesNetwork says whether mapped ports can be reached on the loopback
// interface, because this machine's own network has the engine's bridge.
// Testcontainers assumes otherwise where it finds traces of a container, and
// some machines have such traces.
func sharesNetwork(ctx context.Context, engine client.APIClient) bool {
	bridge, err := engine.NetworkInspect(ctx, "bridge", client.NetworkInspectOptions{})
	if err != nil {
		return false
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, config := range bridge.Network.IPAM.Config {
		gateway := config.Gateway
		if !gateway.IsValid() {
			gateway = config.Subnet.Masked().Addr().Next() // what the engine takes by itself
		}
		if slices.ContainsFunc(own, func(address net.Addr) bool {
			prefix, err := netip.ParsePrefix(address.String())
			return err == nil && prefix.Addr() == gateway
		}) {
			return true
		}
	}
	return false
}

// unavailable ends a test that cannot run here: it fails in CI, and elsewhere
// says why it did not run.
func unavailable(tb testing.TB, reason error) {
	tb.Helper()
	if inCI() {
		tb.Fatalf("containers: this test cannot run, and CI is set: %v", reason)
	}
	tb.Skipf("containers: this test did not run: %v", reason)
}
