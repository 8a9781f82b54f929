package conformance

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A Harness brings a backend to the suite.
type Harness struct {
	// Name is what the report calls the backend.
	Name string
	// Open prepares a cluster for one case, and has t clean up after it. The namespace is the case's own, made of
	// letters, digits and hyphens: a good prefix on servers that cases share. Names that cases use are unique as well.
	Open func(t T, namespace string) *Cluster
	// Timing says how long things take.
	Timing Timing
	// Around, if it is set, runs the body of a case, with the T to use: it may put it into a testing/synctest bubble.
	Around func(t *testing.T, body func(t T))
	// Uncovered accounts for what the coverage of this backend lacks: reasons by operation ("Restore"), or by operation
	// and error ("Restore: replaced by another client's registration"), as the failure names it.
	Uncovered map[string]string
	// Report, if it is set, gets the report as JSON, beside the table in the test's log.
	Report io.Writer
}

// Timing says how long things take on a backend. Every wait of the suite derives from it, and the report prints it.
type Timing struct {
	// TTL is the time to live of a session that asks for none.
	TTL time.Duration `json:"ttl"`
	// Late is how much longer than its TTL the servers may keep a session that nobody renews.
	Late time.Duration `json:"late"`
	// Propagation is how long a write may take to show to other clients.
	Propagation time.Duration `json:"propagation"`
	// Backoff is the longest wait between two attempts of the suite's clients; each varies by half at random.
	Backoff time.Duration `json:"backoff"`
	// Margin is what a client leaves between the end of a term, or the warning that a record is in question, and the
	// earliest moment at which the servers may act.
	Margin time.Duration `json:"margin"`
	// Grace is what a busy machine adds to any deadline. It costs no time where all is well.
	Grace time.Duration `json:"grace"`
}

// A Cluster is the servers that one case talks to. Connect is required; each other function is an ability, nil where it
// cannot be provoked.
type Cluster struct {
	// Connect opens a connection that is independent of every other one. What it has to say goes to log. The suite closes
	// it.
	Connect func(t T, log reception.Logger) driver.Backend

	// Cut cuts a connection off, so that calls fail, until heal is called.
	Cut func(driver.Backend) (heal func())
	// Freeze makes a connection swallow everything without a word, until thaw is called.
	Freeze func(driver.Backend) (thaw func())
	// Expire ends the sessions that a connection has opened, as if they had not been renewed in time.
	Expire func(driver.Backend)
	// HideExpiry makes the renewals of a connection's sessions be confirmed even when the sessions have gone.
	HideExpiry func(driver.Backend)
	// Drift makes the clock behind a connection run at a rate, that of the servers being 1.
	Drift func(b driver.Backend, rate float64)

	// Remove removes an instance behind its owner's back.
	Remove func(name, id string)
	// Depose removes the candidacy of that session behind its holder's back.
	Depose func(election string, session driver.SessionID)
	// Wipe loses all data.
	Wipe func()
	// Compact drops the history that watches resume from.
	Compact func()
	// Delay makes writes show to other connections only after d.
	Delay func(d time.Duration)
	// ExpireLate makes the servers keep sessions for late longer than their TTL.
	ExpireLate func(late time.Duration)
	// WakeUps counts the waiting candidates that were woken.
	WakeUps func() uint64

	// Sicken makes an instance unhealthy.
	Sicken func(name, id string)
	// Foreign stores a well-formed record as another tool would.
	Foreign func(service *reception.Service)
	// Garbage stores something undecodable where the instances of name are.
	Garbage func(name string)

	// Fair says that candidates lead in the order in which they came.
	Fair bool
}

// T is what a case uses of a testing.T: nothing that a testing/synctest bubble forbids.
type T interface {
	Cleanup(f func())
	Context() context.Context
	Error(args ...any)
	Errorf(format string, args ...any)
	Failed() bool
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Helper()
	Log(args ...any)
	Logf(format string, args ...any)
	Name() string
}

// An ability is something that only some harnesses can provoke.
type ability struct {
	name string
	of   func(*Cluster) bool
}

var (
	canCut        = ability{"Cut", func(c *Cluster) bool { return c.Cut != nil }}
	canFreeze     = ability{"Freeze", func(c *Cluster) bool { return c.Freeze != nil }}
	canExpire     = ability{"Expire", func(c *Cluster) bool { return c.Expire != nil }}
	canHideExpiry = ability{"HideExpiry", func(c *Cluster) bool { return c.HideExpiry != nil }}
	canDrift      = ability{"Drift", func(c *Cluster) bool { return c.Drift != nil }}
	canRemove     = ability{"Remove", func(c *Cluster) bool { return c.Remove != nil }}
	canDepose     = ability{"Depose", func(c *Cluster) bool { return c.Depose != nil }}
	canWipe       = ability{"Wipe", func(c *Cluster) bool { return c.Wipe != nil }}
	canCompact    = ability{"Compact", func(c *Cluster) bool { return c.Compact != nil }}
	canDelay      = ability{"Delay", func(c *Cluster) bool { return c.Delay != nil }}
	canExpireLate = ability{"ExpireLate", func(c *Cluster) bool { return c.ExpireLate != nil }}
	canWakeUps    = ability{"WakeUps", func(c *Cluster) bool { return c.WakeUps != nil }}
	canSicken     = ability{"Sicken", func(c *Cluster) bool { return c.Sicken != nil }}
	canForeign    = ability{"Foreign", func(c *Cluster) bool { return c.Foreign != nil }}
	canGarbage    = ability{"Garbage", func(c *Cluster) bool { return c.Garbage != nil }}
	isFair        = ability{"Fair", func(c *Cluster) bool { return c.Fair }}
)
