package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A reporter is a backend that reports its servers.
type reporter struct {
	driver.Backend
	servers func() []driver.Server
}

func (r *reporter) Inspect(context.Context) ([]driver.Server, error) { return r.servers(), nil }

// examine examines a backend, in virtual time, and returns the findings by check.
func examine(t *testing.T, cluster *fake.Cluster, servers func() []driver.Server) map[string]Finding {
	t.Helper()
	var backend driver.Backend = cluster.Backend()
	if servers != nil {
		backend = &reporter{backend, servers}
	}
	client := reception.NewClient(backend)
	defer client.Close()
	findings := map[string]Finding{}
	e := &Examination{Client: client, Timeout: 5 * time.Second, Tell: func(f Finding) error {
		findings[f.Check] = f
		return nil
	}}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return findings
}

func TestHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster()
		findings := examine(t, cluster, nil)
		for check, want := range map[string]State{
			"servers": Unknown, "latency": OK, "registration": OK, "watch": OK, "election": OK,
		} {
			if f := findings[check]; f.State != want {
				t.Errorf("%s is %+v, want %s", check, f, want)
			}
		}
		client := cluster.Client()
		defer client.Close()
		if names, err := client.ListNames(t.Context()); err != nil || len(names) != 0 {
			t.Errorf("left behind is %v, %v", names, err)
		}
		if _, err := client.Leader(t.Context(), ProbeName); !errors.Is(err, reception.ErrNoLeader) {
			t.Errorf("the lead was not given up: %v", err)
		}
	})
}

// TestTroubles has one thing wrong at a time.
func TestTroubles(t *testing.T) {
	refuse := func(op string) fake.Fault {
		return fake.Fault{Operation: op, Times: fake.Always, Err: driver.ErrPermission}
	}
	for _, test := range []struct {
		name        string
		fault       fake.Fault
		check       string
		state       State
		detail, fix string
	}{
		{"reads are refused", refuse("ListServices"), "latency", Failed, "permission denied", "the right to read and write"},
		{"writes are refused", refuse("Register"), "registration", Failed, "permission denied", "the right to read and write"},
		{"elections are refused", refuse("Enqueue"), "election", Failed, "permission denied", "the right to read and write"},
		{
			"watches are held back",
			fake.Fault{Operation: "WatchService", Times: fake.Always, Hook: func(ctx context.Context, _ driver.Call) error {
				<-ctx.Done()
				return ctx.Err()
			}},
			"watch", Failed, "it did not show the instance", "",
		},
		{
			"slow",
			fake.Fault{Operation: "ListServices", Times: fake.Always, Hook: func(context.Context, driver.Call) error {
				time.Sleep(200 * time.Millisecond)
				return nil
			}},
			"latency", Warning, "median 200ms", "disks",
		},
		{"unavailable", fake.Fault{Operation: "Confirm", Times: fake.Always, Err: driver.ErrUnavailable}, "election", Failed, "election canceled", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := fake.NewCluster()
				if _, err := cluster.Inject(test.fault); err != nil {
					t.Fatal(err)
				}
				f := examine(t, cluster, nil)[test.check]
				if f.State != test.state || !strings.Contains(f.Detail, test.detail) || !strings.Contains(f.Fix, test.fix) {
					t.Errorf("got %+v, want %s with %q and %q", f, test.state, test.detail, test.fix)
				}
			})
		})
	}
}

func TestServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		findings := examine(t, fake.NewCluster(), func() []driver.Server {
			return []driver.Server{
				{Address: "a:1", Version: "1.0", Role: "leader", Clock: time.Now().Add(-time.Minute)},
				{Address: "b:1", Version: "1.1", Clock: time.Now()},
				{Address: "c:1", Err: driver.ErrUnavailable},
			}
		})
		if f := findings["server"]; f.State != Warning || !strings.Contains(f.Detail, "c:1: backend unavailable") || f.Fix == "" {
			t.Errorf("the last server is %+v", f)
		}
		if f := findings["versions"]; f.State != Warning || f.Fix == "" {
			t.Errorf("the versions are %+v", f)
		}
		if f := findings["clock"]; f.State != Warning || !strings.Contains(f.Detail, "that of a:1 is -1m0s off") || f.Fix == "" {
			t.Errorf("the clock is %+v", f)
		}
	})
}

func TestSkew(t *testing.T) {
	sent := time.Date(2026, 1, 1, 0, 0, 0, 500_000_000, time.UTC)
	received := sent.Add(2 * time.Second)
	for shown, want := range map[time.Duration]time.Duration{
		0: 0, time.Second: 0, 2 * time.Second: 0, -500 * time.Millisecond: 0,
		3 * time.Second: time.Second, -10 * time.Second: -10 * time.Second,
	} {
		if got := skewOf(sent.Add(shown), sent, received); got != want {
			t.Errorf("shown %v after the sending: skew %v, want %v", shown, got, want)
		}
	}
}

// TestUnreached examines addresses at which there is nothing, or something else.
func TestUnreached(t *testing.T) {
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	other := listener.Addr().String()
	gone, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := gone.Addr().String()
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	away := fmt.Errorf("%w: no answer", reception.ErrUnavailable)
	findings := Unreached(t.Context(), "etcd://user:p%2Fw@"+nobody+","+other+",name-without-port/path?ttl=3s", away)
	if len(findings) != 3 {
		t.Fatalf("got %+v", findings)
	}
	if f := findings[0]; f.State != Failed || !strings.Contains(f.Fix, "start the server") || strings.Contains(f.Detail, "p%2Fw") {
		t.Errorf("where nobody listens: %+v", f)
	}
	if f := findings[1]; f.State != OK {
		t.Errorf("where somebody listens: %+v", f)
	}
	if f := findings[2]; f.State != Failed || f.Fix != "see above" {
		t.Errorf("the connection: %+v", f)
	}
	if f := Unreached(t.Context(), "etcd://"+other, away); len(f) != 2 || !strings.Contains(f[1].Fix, "is it the backend that the scheme says") {
		t.Errorf("with something that is no backend: %+v", f)
	}
	if f := Unreached(t.Context(), "etcd://"+other, reception.ErrPermission); len(f) != 1 || !strings.Contains(f[0].Fix, "right to read") {
		t.Errorf("with a wrong password: %+v", f)
	}
}

func TestAnotherExamination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster()
		other := cluster.Client()
		defer other.Close()
		if _, err := other.Campaign(t.Context(), ProbeName, &reception.Service{Name: ProbeName, ID: "other"}); err != nil {
			t.Fatal(err)
		}
		if f := examine(t, cluster, nil)["election"]; f.State != Unknown || !strings.Contains(f.Fix, "again") {
			t.Errorf("the election is %+v", f)
		}
	})
}
