package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// The differential test has the same clients do the same on the fake and on a server, in random sequences, and compares
// what they see.

// seedVar names the one sequence to repeat.
const seedVar = "RECEPTION_ETCDTEST_SEED"

// What is played: this many sequences of this many steps.
const sequences, steps = 20, 60

// patience is how long a client waits for what the contract lets take a while.
const patience = 10 * time.Second

// differentialTTL is so long that a busy machine costs nobody a session.
const differentialTTL = 20 * time.Second

// differentialBackends are compared with the fake. Each connects, again and again, to a namespace of the test's own.
var differentialBackends = []struct {
	name    string
	connect func(*testing.T) func() driver.Backend
}{
	{"etcd", func(t *testing.T) func() driver.Backend {
		t.Helper()
		server := shared(t)
		return func() driver.Backend {
			b, err := etcd.NewBackend(open(t, server.Endpoints()), etcd.WithPrefix(prefix(t)), etcd.WithTTL(differentialTTL))
			ok(t, err)
			return b
		}
	}},
}

func TestDifferential(t *testing.T) {
	t.Parallel()
	first, count := uint64(1), uint64(sequences)
	if s := os.Getenv(seedVar); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		ok(t, err)
		first, count = seed, 1
	}
	for _, backend := range differentialBackends {
		for seed := first; seed < first+count; seed++ {
			t.Run(fmt.Sprintf("%s/%d", backend.name, seed), func(t *testing.T) {
				t.Parallel()
				here, there := newSide(t, faked(t)), newSide(t, backend.connect(t))
				if d := difference(sequence(seed), here, there); d != "" {
					t.Errorf("%s is not as the fake (%s=%d repeats this):\n%s", backend.name, seedVar, seed, d)
				}
			})
		}
	}
}

// TestDifferentialNotices compares the fake with itself, and with fakes that are wrong.
func TestDifferentialNotices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		connect func(*testing.T) func() driver.Backend
		same    bool
	}{
		{"nothing where there is nothing", faked, true},
		{"whoever deregisters removes", wrong(func(c *fake.Cluster) driver.Backend { return grabbing{c.Backend(), c} }), false},
		{"the displaced are not told", wrong(func(c *fake.Cluster) driver.Backend { return silent{c.Backend()} }), false},
		{"the oldest comes last", wrong(func(c *fake.Cluster) driver.Backend { return reversing{c.Backend()} }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				found := ""
				for seed := uint64(1); seed <= sequences && found == ""; seed++ {
					found = difference(sequence(seed), newSide(t, faked(t)), newSide(t, c.connect(t)))
				}
				if (found == "") != c.same {
					t.Errorf("found %q", found)
				}
			})
		})
	}
}

// faked connects to a fake.
func faked(t *testing.T) func() driver.Backend {
	t.Helper()
	return wrong(func(c *fake.Cluster) driver.Backend { return c.Backend() })(t)
}

// wrong connects to a fake through what makes it wrong.
func wrong(wrap func(*fake.Cluster) driver.Backend) func(*testing.T) func() driver.Backend {
	return func(*testing.T) func() driver.Backend {
		cluster := fake.NewCluster(fake.WithTTL(differentialTTL))
		return func() driver.Backend { return wrap(cluster) }
	}
}

// grabbing removes whoever's record.
type grabbing struct {
	driver.Backend

	cluster *fake.Cluster
}

func (b grabbing) Deregister(_ context.Context, in *driver.DeregisterRequest) (*driver.DeregisterResponse, error) {
	removed, err := b.cluster.Delete("instance", in.Name, in.ID)
	return &driver.DeregisterResponse{Removed: removed}, err
}

// silent watches the wrong record.
type silent struct{ driver.Backend }

func (b silent) OpenWatchRegistration(
	ctx context.Context, in *driver.WatchRegistrationRequest,
) (driver.InstanceStream, error) {
	return b.Backend.OpenWatchRegistration(ctx, &driver.WatchRegistrationRequest{Name: in.Name, ID: "nobody"})
}

// reversing lists backwards.
type reversing struct{ driver.Backend }

func (b reversing) ListServices(
	ctx context.Context, in *driver.ListServicesRequest,
) (*driver.ListServicesResponse, error) {
	out, err := b.Backend.ListServices(ctx, in)
	if err == nil {
		out = &driver.ListServicesResponse{Instances: slices.Clone(out.Instances), Revision: out.Revision}
		slices.Reverse(out.Instances)
	}
	return out, err
}

// difference plays a sequence on two sides, and returns it up to the first step after which they differ; empty if they
// never do.
func difference(sequence []act, here, there *side) string {
	defer here.close()
	defer there.close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var played strings.Builder
	for _, s := range sequence {
		fmt.Fprintln(&played, s)
		one, other := here.play(s), there.play(s)
		// A candidacy that was given up leaves in the background, a name that was emptied may be shown for a while, and a
		// list may come from a watch that has not heard yet of what another client has done.
		lags := slices.Contains([]string{"leader", "names", "list", "watch"}, s.verb)
		for deadline := time.Now().Add(patience); lags && one != other && time.Now().Before(deadline); {
			<-tick.C
			one, other = here.play(s), there.play(s)
		}
		if one != other {
			return fmt.Sprintf("%s   here: %s\n  there: %s", &played, one, other)
		}
	}
	if one, other := here.untold(), there.untold(); one != other {
		return fmt.Sprintf("%scalls of onDisconnect that nothing explains:\n   here: %s\n  there: %s", &played, one, other)
	}
	return ""
}

// sentinels are what an error may be.
var sentinels = []error{
	reception.ErrUnavailable, reception.ErrOutcomeUnknown, reception.ErrClosed, reception.ErrSessionExpired,
	reception.ErrPermission, reception.ErrReplaced, reception.ErrNotLeader, reception.ErrNoLeader,
	reception.ErrInvalidService, reception.ErrNotRegistered, reception.ErrDisconnected, reception.ErrElectionCanceled,
	reception.ErrStarted, reception.ErrIllegalHost, reception.ErrNoConsulHealthCheck, reception.ErrZkDisconnect,
	reception.ErrBadResponse, reception.ErrEmptyServerList, context.Canceled, context.DeadlineExceeded,
}

// identity says which of them an error is.
func identity(err error) string {
	if err == nil {
		return "ok"
	}
	var is []string
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			is = append(is, sentinel.Error())
		}
	}
	return fmt.Sprintf("fails: %s", is)
}
