package fake

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-reception/sdk/fake/internal/kernel"
	"github.com/go-reception/sdk/reception/driver"
)

// A Cluster is the servers: what is stored, and the faults that befall all processes alike. It is safe for concurrent
// use and needs no closing.
type Cluster struct {
	kernel  *kernel.Kernel
	tables  *tables
	rules   *rules
	history *history // nil when none was asked for
	faults  faults

	mu       sync.Mutex
	backends int // made so far, for their labels
}

// NewCluster makes an empty cluster. It panics on an option that makes no sense, as that is a mistake in the test.
func NewCluster(options ...ClusterOption) *Cluster {
	s := settings{kernel: kernel.Config{TTL: DefaultTTL, Log: DefaultWatchLog}}
	for _, option := range options {
		option(&s)
	}
	if low, high := s.kernel.MinTTL, s.kernel.MaxTTL; high != 0 && low > high {
		panic(fmt.Sprintf("fake: WithTTLLimits(%v, %v): the least must not be more than the most", low, high))
	}
	c := &Cluster{kernel: kernel.New(s.kernel), rules: specRules()}
	c.tables = newTables(c.kernel)
	if s.history > 0 {
		c.history = newHistory(s.history)
	}
	if s.propagation > 0 {
		c.kernel.SetLag(s.propagation)
	}
	return c
}

// Backend connects another process to the cluster.
func (c *Cluster) Backend(options ...BackendOption) *Backend {
	c.mu.Lock()
	c.backends++
	b := &Backend{cluster: c, rules: c.rules, label: fmt.Sprintf("process-%d", c.backends)}
	c.mu.Unlock()
	for _, option := range options {
		option(b)
	}
	b.link.init()
	b.peer = c.kernel.NewPeer(b.label)
	b.streams = map[closer]struct{}{}
	return b
}

// Expire ends a session as if it had not been renewed in time, and says whether there was one.
func (c *Cluster) Expire(session driver.SessionID) bool { return c.kernel.EndSession(string(session)) }

// ExpireLate makes every session outlive its deadline by late, as servers may that look only now and then; 0 makes
// them punctual again.
func (c *Cluster) ExpireLate(late time.Duration) {
	mustNotBeNegative("ExpireLate", late)
	c.kernel.SetLate(late)
}

// SetPropagation makes changes show to others than the process that made them only after delay: in what they read,
// and in their streams. What was changed before shows at once. Conditions of writes, and turns, are not affected.
func (c *Cluster) SetPropagation(delay time.Duration) {
	mustNotBeNegative("SetPropagation", delay)
	c.kernel.SetLag(delay)
}

// Wipe loses everything: sessions, records, and the count of revisions, which begins anew. Streams are told by a Reset.
func (c *Cluster) Wipe() { c.kernel.Wipe() }

// Compact loses the watch history: a stream that has not read all of it yet continues with a Reset.
func (c *Cluster) Compact() { c.kernel.Compact() }

// Delete removes a record behind everyone's back, as an administrator might, and says whether there was one. The kind,
// the scope and the key are as the specification has them. An unknown kind is an error.
func (c *Cluster) Delete(kind, scope, key string) (bool, error) {
	deleted, known := c.kernel.Remove(kind, scope, key)
	if !known {
		return false, fmt.Errorf("fake: no record is called %q: known are %s", kind, strings.Join(c.kernel.Kinds(), ", "))
	}
	return deleted, nil
}

// WakeUps counts the calls that waited for their turn and were woken, because it came or because their record was
// removed. One departure is to wake one waiter.
func (c *Cluster) WakeUps() uint64 { return c.kernel.WakeUps() }

// A Session describes a session that is open.
type Session struct {
	// ID names it.
	ID driver.SessionID
	// Backend is the label of the process that opened it.
	Backend string
	// TTL is what was granted.
	TTL time.Duration
	// Left is the time after which it expires unless it is renewed.
	Left time.Duration
}

// Sessions describes the open sessions, in the order in which they will expire unless they are renewed.
func (c *Cluster) Sessions() []Session {
	infos := c.kernel.Sessions()
	sessions := make([]Session, len(infos))
	for i, s := range infos {
		sessions[i] = Session{ID: driver.SessionID(s.ID), Backend: s.Peer, TTL: s.TTL, Left: s.Left}
	}
	return sessions
}
