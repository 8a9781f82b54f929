package chaos

import (
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
)

// An Arena is the servers that a run plays on, and what can befall them. The runner calls its functions one at a time,
// from the goroutine that has called [Run].
type Arena struct {
	// Backend is what histories and reports call it.
	Backend string
	// Namespace, made of letters, digits and hyphens, becomes a part of names, for servers that other runs use as well. It
	// may be empty.
	Namespace string
	// Timing says how long things take.
	Timing conformance.Timing
	// Connect opens the connection of a process, which is independent of every other one. A process that has crashed
	// connects again.
	Connect func(process int, log reception.Logger) (*Connection, error)
	// Servers is how many of them faults can strike.
	Servers int
	// Faults are what schedules are drawn from, besides processes that crash and processes that leave.
	Faults []Fault
}

// A Connection is a process's connection to the servers.
type Connection struct {
	driver.Backend

	// Sever is what a crash of the process does to it: nothing gets through any more, for good, and nothing is
	// withdrawn.
	Sever func()
}

// A Fault is one kind of trouble.
type Fault struct {
	// Name says what it is: "cut", "blackhole", "kill".
	Name string
	// Victims says whom it strikes.
	Victims Victims
	// Excuse says what of the contract does not hold while it lasts.
	Excuse Excuse
	// Strike strikes a process or a server, and returns what undoes that; nil if there is nothing to undo.
	Strike func(victim int) (heal func())
}

// Victims are those that a kind of fault strikes.
type Victims string

// The victims.
const (
	Processes Victims = "process" // one of them
	Servers   Victims = "server"  // one of them, and no other one as long as it lasts
	Cluster   Victims = "cluster" // all servers at once, which counts as one of them
)

// An Excuse names what a fault ends behind its owner's back. A holder that is cut off at that moment cannot know, so the
// windows in which two terms may overlap on that account are left out. The fence, the counter and the order of tokens in
// one life of the data are never excused; a term that was ended before its holder was told of it is none.
type Excuse string

// The excuses.
const (
	Nothing Excuse = ""
	Expiry  Excuse = "expiry" // an administrator has ended the victim's sessions
	Wipe    Excuse = "wipe"   // the data of all is lost, and begins a new life
	// Lies: a server confirms renewals of a session that others have dropped. Nothing but registrations is excused, whose
	// owner cannot know: terms ask more than that.
	Lies Excuse = "lies"
)
