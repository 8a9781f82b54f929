// Package onfake plays the conformance suite on the fake: as it is, in bubbles and by the machine's clock, and made wrong
// on purpose, which tests the suite.
package onfake

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
)

// A Setup is a fake to play the suite on.
type Setup struct {
	// Timing is that of the clusters that New makes.
	Timing conformance.Timing
	// New makes the cluster of a case; nil makes a correct one, of the timing's TTL and propagation and the Options.
	New func(...fake.ClusterOption) *fake.Cluster
	// Options are those of each cluster.
	Options []fake.ClusterOption
	// Wrap, if it is set, stands between a connection and the suite.
	Wrap func(driver.Backend) driver.Backend
}

// Quick is the timing of clusters in bubbles, where time costs nothing.
func Quick() conformance.Timing {
	return conformance.Timing{TTL: 15 * time.Second, Backoff: time.Second, Margin: 1500 * time.Millisecond}
}

// Harness brings the setup to the suite.
func (s Setup) Harness() conformance.Harness {
	options := slices.Concat(s.Options, []fake.ClusterOption{
		fake.WithTTL(s.Timing.TTL), fake.WithPropagation(s.Timing.Propagation),
	})
	if s.New == nil {
		s.New = fake.NewCluster
	}
	return conformance.Harness{
		Name:   "fake",
		Timing: s.Timing,
		Open: func(t conformance.T, _ string) *conformance.Cluster {
			t.Helper()
			return s.lend(t, s.New(options...))
		},
	}
}

// Bubble is the harness with each case in a testing/synctest bubble.
func (s Setup) Bubble() conformance.Harness {
	h := s.Harness()
	h.Around = func(t *testing.T, body func(conformance.T)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) { body(t) })
	}
	return h
}

// lend makes a cluster's faults the suite's abilities.
func (s Setup) lend(t conformance.T, c *fake.Cluster) *conformance.Cluster {
	t.Helper()
	p := &processes{by: make(map[driver.Backend]*fake.Backend)}
	return &conformance.Cluster{
		Connect: func(conformance.T, reception.Logger) driver.Backend { return p.connect(c, s.Wrap) },
		Cut:     func(b driver.Backend) func() { p.of(b).Cut(); return p.of(b).Heal },
		Freeze:  func(b driver.Backend) func() { p.of(b).Freeze(); return p.of(b).Thaw },
		Expire:  func(b driver.Backend) { p.of(b).ExpireSessions() },
		Drift:   func(b driver.Backend, rate float64) { p.of(b).SetClockRate(rate) },
		HideExpiry: func(b driver.Backend) {
			p.of(b).HideExpiry(true)
		},
		Remove: func(name, id string) { remove(t, c, "instance", name, id) },
		Depose: func(election string, session driver.SessionID) {
			remove(t, c, "candidate", election, string(session))
		},
		Wipe:       c.Wipe,
		Compact:    c.Compact,
		Delay:      c.SetPropagation,
		ExpireLate: c.ExpireLate,
		WakeUps:    c.WakeUps,
		Foreign:    func(service *reception.Service) { foreign(t, c, service) },
		Fair:       true,
	}
}

// processes are the fake's own, by what the suite sees of them.
type processes struct {
	mu sync.Mutex
	by map[driver.Backend]*fake.Backend
}

func (p *processes) connect(c *fake.Cluster, wrap func(driver.Backend) driver.Backend) driver.Backend {
	process := c.Backend()
	seen := driver.Backend(process)
	if wrap != nil {
		seen = wrap(process)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[seen] = process
	return seen
}

func (p *processes) of(b driver.Backend) *fake.Backend {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.by[b]
}

// remove removes a record that is there.
func remove(t conformance.T, c *fake.Cluster, kind, scope, key string) {
	t.Helper()
	if removed, err := c.Delete(kind, scope, key); err != nil || !removed {
		t.Fatalf("cannot remove %s %s/%s: %v", kind, scope, key, err)
	}
}

// foreign stores a record that has no owner, as that of another tool has none.
func foreign(t conformance.T, c *fake.Cluster, service *reception.Service) {
	t.Helper()
	tool := c.Backend()
	session, err := tool.OpenSession(context.Background(), &driver.OpenSessionRequest{TTL: time.Hour})
	if err == nil {
		_, err = tool.Register(context.Background(), &driver.RegisterRequest{
			Session: session.Session,
			Instance: driver.Instance{Service: driver.Service{
				ID: service.ID, Name: service.Name, Address: service.Address, Port: service.Port,
				Attributes: driver.Attributes(service.Attributes),
			}},
		})
	}
	if err != nil {
		t.Fatalf("another tool cannot store its record: %v", err)
	}
}
