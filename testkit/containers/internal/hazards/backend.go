package hazards

import (
	"context"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

const (
	// Grace is what a busy machine adds to any limit.
	Grace = 3 * time.Second
	// Back is within what time everything is back after a disturbance.
	Back = 2 * time.Second
	// Step is the longest that the SDK waits between two attempts, and so what a long outage may add.
	Step = 7500 * time.Millisecond
)

// A Backend describes what the hazards are done to.
type Backend struct {
	Name string

	// TTL is how long a record outlives its process, TermTTL the same of a candidate where nothing else is said.
	TTL, TermTTL time.Duration
	// ToldOfOutage is what an owner is told, in this order, of an outage of twice the TTL and more.
	ToldOfOutage []error
	// Trials is how many successions of leaders each kind of overlap is looked for in, Together how many of them one
	// partition of the servers serves.
	Trials, Together int
	// SideBySide is how many tests run at a time for each processor: they wait for servers, and for time to pass.
	SideBySide int
	// Spare is how many connections a client may keep for later after it has used several at a time.
	Spare int

	// Shared is the server that most tests use, Start a server of a test's own.
	Shared func(testing.TB) *containers.Cluster
	Start  func(testing.TB, ...testcontainers.ContainerCustomizer) *containers.Cluster
	// Ensemble starts three servers. Entry is where their clients connect, Split chooses whom a partition is to separate.
	Ensemble func(testing.TB) *containers.Cluster
	Entry    func(cluster *containers.Cluster) (endpoints []string)
	// Whole waits until a majority would outlive the leader again, after a server has come back; nil where all that serve count.
	Whole func(tb testing.TB, cluster *containers.Cluster)
	Split func(tb testing.TB, cluster *containers.Cluster, round int) Split

	// Connect connects a client.
	Connect func(ctx context.Context, endpoints []string, s Settings) (reception.Client, error)
	// Admin is an administrator of what clients with a prefix have stored.
	Admin func(tb testing.TB, server *containers.Cluster, prefix string) Admin
	// Watches is how many watches a server has.
	Watches func(tb testing.TB, server *containers.Cluster) int

	// Lacks has the reason for each ability that is missing.
	Lacks map[Ability]string
}

// An Ability is what not every backend can be made to do.
type Ability string

// The abilities that a backend may lack.
const (
	Overwrite    Ability = "Overwrite"    // [Admin.Overwrite]
	Recreate     Ability = "Recreate"     // [Admin.Recreate]
	CountWatches Ability = "CountWatches" // [Backend.Watches]
	Unwatch      Ability = "Unwatch"      // a watch ends at the server with the last of its watchers
)

// can says whether a backend has an ability, and logs it if not.
func (b Backend) can(tb testing.TB, a Ability) bool {
	tb.Helper()
	reason, lacks := b.Lacks[a]
	if lacks {
		tb.Logf("%s lacks %s: %s", b.Name, a, reason)
	}
	return !lacks
}

// Settings are what hazards ask of a client.
type Settings struct {
	Prefix    string        // where its records are
	TTL       time.Duration // of its records and terms
	Operation time.Duration // how long a request may take; 0: what the adapter's tests have
	Logger    reception.Logger
}

// An Admin does what an administrator does, or another tool, with what clients have stored below one prefix. A function that
// cannot do so ends the test.
type Admin struct {
	// Remove deletes the record of an instance.
	Remove func(name, id string)
	// End ends the session, or lease, that an instance lives on, and what else lives on it.
	End func(name, id string)
	// Depose deletes what the leader of an election holds the lead by.
	Depose func(election string)
	// Overwrite puts something that is no instance where the record of one is.
	Overwrite func(name, id string)
	// Spoil puts what is no instance among the instances of a service, and returns how the log names each of these.
	Spoil func(name string) []string
	// Plant stores an instance as other tools do.
	Plant func(service *reception.Service)
	// Version says which of its writes the record of an instance is of.
	Version func(name, id string) string
	// Recreate deletes what the candidates of an election, which has none now, were kept in.
	Recreate func(election string)
}

// A Split is a partition of servers that concerns the clients of one of them.
type Split struct {
	Holder *containers.Node   // the one that holders of terms are connected to
	Rest   []*containers.Node // those that successors are connected to
	Cut    func() (undo func())
}
