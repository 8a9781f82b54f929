package containers

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"
)

// shared returns the shared cluster of each backend: faults are the same for all.
func shared(t *testing.T, backend Backend) *Cluster {
	t.Helper()
	switch backend {
	case BackendConsul:
		return SharedConsul(t).Cluster
	case BackendEtcd:
		return SharedEtcd(t).Cluster
	default:
		return SharedZooKeeper(t).Cluster
	}
}

// ask asks the first node, over a link, whether it serves.
func ask(t *testing.T, l *Link, limit time.Duration) error {
	t.Helper()
	check, err := l.cluster.kind.probe(l.cluster.settings)
	if err != nil {
		t.Fatal(err)
	}
	return check(within(t, limit), l.Endpoints()[0])
}

func TestNodeFaults(t *testing.T) {
	const short = time.Second
	for _, backend := range Backends() {
		t.Run(string(backend), func(t *testing.T) {
			c := shared(t, backend)
			endpoints := slices.Clone(c.Endpoints())
			for name, fault := range map[string]func(*Node, testing.TB) func(){
				"stop": (*Node).Stop, "kill": (*Node).Kill, "pause": (*Node).Pause,
			} {
				t.Run(name, func(t *testing.T) {
					if err := ask(t, c.Link(), serverLimit); err != nil {
						t.Fatalf("before: %v", err)
					}
					undo := fault(c.Node(0), t)
					err := ask(t, c.Link(), short)
					switch timeout := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded); {
					case name == "pause" && !timeout:
						t.Errorf("a node that is paused answers %v, want silence", err)
					case name != "pause" && !errors.Is(err, syscall.ECONNREFUSED):
						t.Errorf("a node that is down answers %v, want that it is refused", err)
					}
					undo()
					c.AwaitReady(t)
					if err := ask(t, c.Link(), serverLimit); err != nil {
						t.Errorf("after: %v", err)
					}
					if !slices.Equal(c.Endpoints(), endpoints) {
						t.Errorf("the endpoints have become %v", c.Endpoints())
					}
				})
			}
		})
	}
}

func TestFaultsEndWithTheTest(t *testing.T) {
	c := SharedEtcd(t)
	t.Run("which leaves them", func(t *testing.T) {
		c.Link().Cut(t)
		c.Node(0).Stop(t)
	})
	if err := ask(t, c.Link(), serverLimit); err != nil {
		t.Errorf("after the test: %v", err)
	}
}

func TestLinkFaultsLeaveOtherLinksAlone(t *testing.T) {
	c := SharedEtcd(t)
	mine := c.NewLink(t)
	for name, fault := range map[string]func() func(){
		"cut":       func() func() { return mine.Cut(t) },
		"blackhole": func() func() { return mine.Blackhole(t) },
		"reset":     func() func() { return mine.Reset(t) },
		"delay":     func() func() { return mine.Delay(t, time.Minute, 0) },
		"throttle":  func() func() { return mine.To(c.Node(0)).Throttle(t, 1000) },
	} {
		undo := fault()
		if err := ask(t, c.Link(), serverLimit); err != nil {
			t.Errorf("%s: another link: %v", name, err)
		}
		if err := ask(t, mine, time.Second/2); (err == nil) != (name == "throttle") {
			t.Errorf("%s: this link: %v", name, err)
		}
		undo()
		if err := ask(t, mine, serverLimit); err != nil {
			t.Errorf("%s, after undo: %v", name, err)
		}
	}
}

// A pause, unlike a blackhole, leaves connections that go on where they were.
func TestPauseKeepsConnections(t *testing.T) {
	c := SharedZooKeeper(t)
	conn, err := dial(within(t, time.Minute), c.Endpoints()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	undo := c.Node(0).Pause(t)
	if _, err := io.WriteString(conn, "ruok"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if n, err := conn.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("Read = %d, %v while the server is paused", n, err)
	}
	undo()
	if err := conn.SetReadDeadline(time.Now().Add(serverLimit)); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || string(answer) != "imok" {
		t.Errorf("after the pause: %q, %v", answer, err)
	}
}

// Nobody waits for a cluster to serve while another fault of the same test still
// keeps it from that.
func TestSeveralFaultsEndTogether(t *testing.T) {
	c := StartEtcd(t, WithNodes(2))
	begun := time.Now()
	t.Run("which leaves them", func(t *testing.T) {
		c.Isolate(t, c.Node(0))
		c.Node(1).Pause(t)
		c.Link().Cut(t)
	})
	if took := time.Since(begun); took > undoLimit/2 {
		t.Errorf("undoing took %s", took)
	}
	if err := ask(t, c.Link(), serverLimit); err != nil {
		t.Errorf("after the test: %v", err)
	}
}
