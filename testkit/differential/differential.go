package differential

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// seedVar names the one sequence to repeat.
const seedVar = "RECEPTION_DIFFERENTIAL_SEED"

// What is played: this many sequences of this many steps.
const sequences, steps = 20, 60

// patience is how long a client waits for what the contract lets take a while.
const patience = 20 * time.Second

// TTL is the time to live that sessions should have: so long that a busy machine costs nobody a session.
const TTL = 20 * time.Second

// A Harness brings the backend that is compared with the fake.
type Harness struct {
	// Name is what failures call the backend.
	Name string
	// Open prepares a namespace for one sequence, and has t clean up after it. It runs on the test's own goroutine.
	Open func(t *testing.T) *Cluster
	// Sequences is how many to play; 0 is 20.
	Sequences int
	// AtOnce is how many to play at a time; 0 is as many as tests run at a time.
	AtOnce int
}

// A Cluster is what the clients of one sequence share. Connect is required; faults that are nil do not occur.
type Cluster struct {
	// Connect opens a connection, which the sequence closes.
	Connect func() driver.Backend
	// Cut cuts a connection off, so that calls fail, until heal is called.
	Cut func(driver.Backend) (heal func())
	// Expire ends the sessions that a connection has opened, as if they had not been renewed in time.
	Expire func(driver.Backend)
}

// Run plays the sequences, side by side.
func Run(t *testing.T, h Harness) {
	t.Helper()
	first, count := uint64(1), uint64(cmp.Or(h.Sequences, sequences))
	if s := os.Getenv(seedVar); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first, count = seed, 1
	}
	places := make(chan struct{}, cmp.Or(h.AtOnce, int(count)))
	for seed := first; seed < first+count; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			places <- struct{}{}
			defer func() { <-places }()
			here, there := faked(), h.Open(t)
			// Names are the sequence's own, for servers on which all services have one namespace.
			acts := sequence(seed, there.verbs(), fmt.Sprintf("-%d-%x", seed, rand.Uint32()))
			if d := difference(acts, newSide(t, here), newSide(t, there)); d != "" {
				t.Errorf("%s is not as the fake (%s=%d repeats this):\n%s", h.Name, seedVar, seed, d)
			}
		})
	}
}

// verbs are what the clients of a sequence do.
func (c *Cluster) verbs() []string {
	all := verbs
	if c.Cut != nil {
		all = append(slices.Clone(all), "cut", "leave")
	}
	if c.Expire != nil {
		all = append(slices.Clone(all), "expire")
	}
	return all
}

// faked is a fake with all its faults.
func faked() *Cluster { return lend(fake.NewCluster(fake.WithTTL(TTL)), nil) }

// lend makes a fake of which wrap, if it is set, stands between it and the clients.
func lend(c *fake.Cluster, wrap func(driver.Backend) driver.Backend) *Cluster {
	by := map[driver.Backend]*fake.Backend{}
	return &Cluster{
		Connect: func() driver.Backend {
			process := c.Backend()
			seen := driver.Backend(process)
			if wrap != nil {
				seen = wrap(process)
			}
			by[seen] = process
			return seen
		},
		Cut:    func(b driver.Backend) func() { by[b].Cut(); return by[b].Heal },
		Expire: func(b driver.Backend) { by[b].ExpireSessions() },
	}
}

// lagging are the verbs whose outcome may take a while to be the same: a candidacy that was given up leaves in the
// background, a name that was emptied may be shown for a while, and lists and watches may not have heard yet of what
// another client has done.
var lagging = []string{"leader", "names", "list", "watch", "observe", "led"}

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
		lags := slices.Contains(lagging, s.verb)
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

// sentinels are what an error may be on any backend.
var sentinels = []error{
	reception.ErrUnavailable, reception.ErrOutcomeUnknown, reception.ErrClosed, reception.ErrSessionExpired,
	reception.ErrPermission, reception.ErrReplaced, reception.ErrNotLeader, reception.ErrNoLeader,
	reception.ErrInvalidService, reception.ErrNotRegistered, reception.ErrDisconnected, reception.ErrElectionCanceled,
	reception.ErrStarted,
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
