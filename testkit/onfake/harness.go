// Package onfake plays the conformance suite on the fake: as it is, in bubbles and by the machine's clock, and made wrong
// on purpose, which tests the suite.
package onfake

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
)

// Harness brings the fake to the suite: each case gets a cluster of its own, with sessions of the timing's TTL and the
// timing's propagation.
func Harness(timing conformance.Timing, options ...fake.ClusterOption) conformance.Harness {
	options = append(options, fake.WithTTL(timing.TTL), fake.WithPropagation(timing.Propagation))
	return conformance.Harness{
		Name:   "fake",
		Timing: timing,
		Open: func(t conformance.T, _ string) *conformance.Cluster {
			t.Helper()
			return Lend(t, fake.NewCluster(options...))
		},
	}
}

// Bubble is the harness with each case in a testing/synctest bubble, whose clock waits for nobody.
func Bubble(h conformance.Harness) conformance.Harness {
	h.Around = func(t *testing.T, body func(conformance.T)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) { body(t) })
	}
	return h
}

// Lend makes a cluster's faults the suite's abilities.
func Lend(t conformance.T, c *fake.Cluster) *conformance.Cluster {
	t.Helper()
	process := func(b driver.Backend) *fake.Backend {
		f, ok := b.(*fake.Backend)
		if !ok {
			t.Fatalf("not a backend of this harness: %T", b)
		}
		return f
	}
	return &conformance.Cluster{
		Connect:    func(conformance.T) driver.Backend { return c.Backend() },
		Cut:        func(b driver.Backend) func() { process(b).Cut(); return process(b).Heal },
		Freeze:     func(b driver.Backend) func() { process(b).Freeze(); return process(b).Thaw },
		Expire:     func(b driver.Backend) { process(b).ExpireSessions() },
		HideExpiry: func(b driver.Backend) { process(b).HideExpiry(true) },
		Drift:      func(b driver.Backend, rate float64) { process(b).SetClockRate(rate) },
		Remove:     func(name, id string) { remove(t, c, "instance", name, id) },
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
