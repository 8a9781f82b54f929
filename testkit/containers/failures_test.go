package containers

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
)

func TestABadImageName(t *testing.T) {
	needEngine(t, BackendEtcd, nil)
	for _, ref := range []string{"reception-offline/nonesuch:1", "NOT A NAME"} {
		begun := time.Now()
		c, err := RunEtcd(t.Context(), ref)
		if err == nil {
			t.Fatalf("RunEtcd(%q) = nil", ref)
		}
		if c != nil {
			t.Errorf("RunEtcd(%q) returned a container", ref)
		}
		mustContain(t, err.Error(), ref)
		if took := time.Since(begun); took > pullLimit {
			t.Errorf("RunEtcd(%q) took %s", ref, took)
		}
	}
}

func TestAPortInUse(t *testing.T) {
	needEngine(t, BackendEtcd, nil)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, taken, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := RunEtcd(t.Context(), "", testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
		h.PortBindings = network.PortMap{
			network.MustParsePort(etcdPort): {{HostIP: netip.MustParseAddr("0.0.0.0"), HostPort: taken}},
		}
	}))
	testcontainers.CleanupContainer(t, c)
	if err == nil {
		t.Fatal("RunEtcd = nil")
	}
	if text := err.Error(); !strings.Contains(text, "in use") && !strings.Contains(text, "allocated") {
		t.Errorf("RunEtcd = %v, want that the port is in use", err)
	}
	mustContain(t, err.Error(), taken)
}

func TestAServerThatNeverGetsReady(t *testing.T) {
	needEngine(t, BackendEtcd, nil)
	const limit = 3 * time.Second
	begun := time.Now()
	// It waits for a second member that does not exist.
	c, err := RunEtcd(t.Context(), "", WithStartupTimeout(limit), testcontainers.WithCmdArgs(
		"--initial-cluster=n1=http://127.0.0.1:2380,n2=http://127.0.0.1:9"))
	if c == nil {
		t.Fatalf("RunEtcd returned no container, so that it cannot be removed: %v", err)
	}
	testcontainers.CleanupContainer(t, c)
	if err == nil {
		t.Fatal("RunEtcd = nil")
	}
	if took := time.Since(begun); took < limit || took > limit+engineLimit {
		t.Errorf("it took %s, want about %s", took, limit)
	}
	mustContain(t, err.Error(), "run etcd from", "not within 3s", "the last lines of its log", `"level":`)
}

func TestAServerThatEnds(t *testing.T) {
	needEngine(t, BackendZooKeeper, nil)
	begun := time.Now()
	c, err := RunZooKeeper(t.Context(), "", testcontainers.WithEnv(map[string]string{"ZOO_SERVERS": "server.1=nonsense"}))
	if c == nil {
		t.Fatalf("RunZooKeeper returned no container: %v", err)
	}
	testcontainers.CleanupContainer(t, c)
	if err == nil {
		t.Fatal("RunZooKeeper = nil")
	}
	if took := time.Since(begun); took > startupLimit/2 {
		t.Errorf("it took %s to see that the server has ended", took)
	}
	mustContain(t, err.Error(), "the container has ended with exit code", "the last lines of its log", "nonsense")
}

func TestOptionsOfOtherBackends(t *testing.T) {
	_, consul := RunConsul(t.Context(), "", WithEtcdRootPassword("x"))
	_, etcd := RunEtcd(t.Context(), "", WithZooKeeperSuper("x"))
	_, zookeeper := RunZooKeeper(t.Context(), "", WithTLS())
	for name, err := range map[string]error{
		"WithEtcdRootPassword": consul, "WithZooKeeperSuper": etcd, "WithTLS": zookeeper,
	} {
		if err == nil {
			t.Errorf("%s for another backend = nil, want an error", name)
			continue
		}
		mustContain(t, err.Error(), name+" is an option of")
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	for name, opt := range map[string]Option{
		"WithNodes":          WithNodes(0),
		"WithConsulAgents":   WithConsulAgents(maxNodes + 1),
		"WithStartupTimeout": WithStartupTimeout(0),
		"WithImage":          WithImage(""),
		"WithZooKeeperTicks": WithZooKeeperTicks(time.Second, time.Millisecond, time.Second),
	} {
		_, _, err := readOptions(BackendZooKeeper, []testcontainers.ContainerCustomizer{opt})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s = %v, want an error that names it", name, err)
		}
	}
}
