package fake_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// What makes no sense is a mistake in the test, and reported by a panic that names it.
func TestOptionsThatMakeNoSense(t *testing.T) {
	c := fake.NewCluster()
	b := connect(t, c)
	tests := map[string]func(){
		"WithTTL(0s)":           func() { fake.WithTTL(0) },
		"WithTTLLimits(-1ns)":   func() { fake.WithTTLLimits(-1, 0) },
		"WithTTLLimits(-2ns)":   func() { fake.WithTTLLimits(0, -2) },
		"WithTTLLimits(2s, 1s)": func() { fake.NewCluster(fake.WithTTLLimits(2*time.Second, time.Second)) },
		"WithRenewEvery(0s)":    func() { fake.WithRenewEvery(0) },
		"WithSettle(-1ns)":      func() { fake.WithSettle(-1) },
		"WithPropagation(-1ns)": func() { fake.WithPropagation(-1) },
		"WithWatchLog(0)":       func() { fake.WithWatchLog(0) },
		"WithHistory(0)":        func() { fake.WithHistory(0) },
		"ExpireLate(-1ns)":      func() { c.ExpireLate(-1) },
		"SetPropagation(-1ns)":  func() { c.SetPropagation(-1) },
		"SetClockRate(0)":       func() { b.SetClockRate(0) },
		"SetClockRate(-1)":      func() { b.SetClockRate(-1) },
		"SetClockRate(100.5)":   func() { b.SetClockRate(100.5) },
		"SetClockRate(NaN)":     func() { b.SetClockRate(math.NaN()) },
	}
	for want, do := range tests {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "fake: "+want) {
					t.Errorf("panics with %q", got)
				}
			}()
			do()
		})
	}
}

// Options do what they say, also to sessions that ask for something else.
func TestOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster(
			fake.WithTTL(9*time.Second), fake.WithTTLLimits(2*time.Second, time.Minute),
			fake.WithRenewEvery(time.Second), fake.WithSettle(time.Millisecond),
		)
		b := connect(t, c, fake.WithLabel("mine"))
		for ask, want := range map[time.Duration]time.Duration{
			0: 9 * time.Second, 5 * time.Second: 5 * time.Second, 1: 2 * time.Second, time.Hour: time.Minute,
		} {
			got, err := b.OpenSession(t.Context(), &driver.OpenSessionRequest{TTL: ask})
			if err != nil || got.TTL != want || got.RenewEvery != time.Second || got.Settle != time.Millisecond {
				t.Errorf("asked for %v: got %+v, %v", ask, got, err)
			}
		}
		time.Sleep(time.Second)
		sessions := c.Sessions()
		if len(sessions) != 4 || sessions[0].TTL != 2*time.Second || sessions[0].Left != time.Second ||
			sessions[0].Backend != "mine" || sessions[3].TTL != time.Minute {
			t.Errorf("sessions: %+v", sessions)
		}
		if other := c.Backend(); other.Label() != "process-2" || other.Name() != "fake" {
			t.Errorf("called %q, %q", other.Label(), other.Name())
		}
	})
}

// A session that an administrator ends takes its records along, and nothing else.
func TestExpire(t *testing.T) {
	c := fake.NewCluster()
	b, session := process(t, c)
	kept := open(t, b)
	register(t, b, session, "1")
	register(t, b, kept, "2")
	if !c.Expire(session) || c.Expire(session) || c.Expire("none") {
		t.Error("Expire does not tell whether there was a session")
	}
	if got := ids(t, b); !slices.Equal(got, []string{"2"}) {
		t.Errorf("listed %v", got)
	}
	if err := renew(b, session); !errors.Is(err, driver.ErrSessionExpired) {
		t.Errorf("renewed with %v", err)
	}
	_, err := b.Register(t.Context(), &driver.RegisterRequest{Session: session, Instance: instance(b, "3")})
	if !errors.Is(err, driver.ErrSessionExpired) {
		t.Errorf("registered with %v", err)
	}
	if err := renew(b, kept); err != nil {
		t.Error(err)
	}
}

func renew(b *fake.Backend, session driver.SessionID) error {
	_, err := b.RenewSession(context.Background(), &driver.RenewSessionRequest{Session: session})
	return err
}

// A session may live twice as long as promised, and be renewed in the second half.
func TestExpireLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster()
		b, session := process(t, c)
		register(t, b, session, "1")
		c.ExpireLate(fake.DefaultTTL)
		time.Sleep(2*fake.DefaultTTL - 1)
		if err := renew(b, session); err != nil {
			t.Errorf("a late renewal: %v", err)
		}
		time.Sleep(2*fake.DefaultTTL - 1)
		if got := ids(t, b); len(got) != 1 {
			t.Errorf("listed %v", got)
		}
		time.Sleep(time.Nanosecond)
		if got := ids(t, b); got != nil {
			t.Errorf("listed %v", got)
		}
	})
}

// Servers whose clock is faster than the process's drop its session before the process expects it.
func TestSetClockRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster(fake.WithTTL(10 * time.Second))
		b, session := process(t, c)
		_, other := process(t, c)
		b.SetClockRate(0.9) // the servers' is faster
		if err := renew(b, session); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if got := c.Sessions(); len(got) != 1 || got[0].ID != other {
			t.Errorf("sessions: %+v", got)
		}
	})
}

// Renewals go on being confirmed, while all else shows that the session is gone.
func TestHideExpiry(t *testing.T) {
	c := fake.NewCluster()
	b, session := process(t, c)
	enqueue(t, b, session)
	b.HideExpiry(true)
	c.Expire(session)
	if err := renew(b, session); err != nil {
		t.Errorf("renewed with %v", err)
	}
	_, err := b.Confirm(t.Context(), &driver.ConfirmRequest{Session: session, Election: "e", Token: 1})
	if !errors.Is(err, driver.ErrNotLeader) {
		t.Errorf("confirmed with %v", err)
	}
	_, err = b.Register(t.Context(), &driver.RegisterRequest{Session: session, Instance: instance(b, "1")})
	if !errors.Is(err, driver.ErrSessionExpired) {
		t.Errorf("registered with %v", err)
	}
	b.HideExpiry(false)
	if err := renew(b, session); !errors.Is(err, driver.ErrSessionExpired) {
		t.Errorf("in the end renewed with %v", err)
	}
}

// One's own writes show at once, others' when they have propagated.
func TestPropagation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay = time.Second
		c := fake.NewCluster(fake.WithPropagation(delay))
		writer, session := process(t, c)
		reader := connect(t, c)
		written := register(t, writer, session, "1")
		if got := ids(t, writer); len(got) != 1 {
			t.Errorf("the writer sees %v", got)
		}
		stale, err := reader.ListServices(t.Context(), &driver.ListServicesRequest{Name: "web"})
		if err != nil || len(stale.Instances) != 0 || stale.Revision >= written.Revision {
			t.Errorf("another sees %+v, %v", stale, err)
		}
		s, err := reader.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "web"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, want := range []int{0, 1} {
			batch, err := s.Next(t.Context())
			if err != nil || len(batch.Changes) != want {
				t.Errorf("streamed %+v, %v", batch, err)
			}
		}
		if got := ids(t, reader); len(got) != 1 {
			t.Errorf("after the stream has shown it, another sees %v", got)
		}
		register(t, writer, session, "2")
		c.SetPropagation(0)
		if got := ids(t, reader); len(got) != 2 {
			t.Errorf("without the fault, another sees %v", got)
		}
	})
}

// A wipe is a new life: nothing is left, revisions start again, and whoever wants to live on is told.
func TestWipe(t *testing.T) {
	c := fake.NewCluster()
	b, session := process(t, c)
	for range 5 {
		register(t, b, session, "1")
	}
	c.Wipe()
	if got := ids(t, b); got != nil {
		t.Errorf("listed %v", got)
	}
	if err := renew(b, session); !errors.Is(err, driver.ErrSessionExpired) {
		t.Errorf("renewed with %v", err)
	}
	if got := register(t, b, open(t, b), "1"); got.Revision != 1 || got.Displaced != "" {
		t.Errorf("registered with %+v", got)
	}
}

// A record that an administrator deletes is gone, and its session is not.
func TestDelete(t *testing.T) {
	c := fake.NewCluster()
	b, session := process(t, c)
	register(t, b, session, "1")
	for _, want := range []bool{true, false} {
		if got, err := c.Delete("instance", "web", "1"); got != want || err != nil {
			t.Errorf("deleted: %v, %v", got, err)
		}
	}
	if _, err := c.Delete("instances", "web", "1"); err == nil || !strings.Contains(err.Error(), `"instances"`) ||
		!strings.Contains(err.Error(), "instance, candidate") {
		t.Errorf("an unknown kind: %v", err)
	}
	if err := renew(b, session); err != nil {
		t.Errorf("the session has gone too: %v", err)
	}
}

// Registrations, as the rules have them: the newest wins, and nobody takes away what is another's.
func TestOwnership(t *testing.T) {
	c := fake.NewCluster()
	old, oldSession := process(t, c, fake.WithLabel("old"))
	young, youngSession := process(t, c, fake.WithLabel("young"))
	register(t, old, oldSession, "1")
	register(t, old, oldSession, "2")
	if got := register(t, old, oldSession, "1"); got.Displaced != "" {
		t.Errorf("an update displaces %q", got.Displaced)
	}
	if got := register(t, young, youngSession, "1"); got.Displaced != "old" {
		t.Errorf("a take-over displaces %q", got.Displaced)
	}
	if got := ids(t, old); !slices.Equal(got, []string{"2", "1"}) {
		t.Errorf("listed %v", got)
	}
	_, err := old.Restore(t.Context(), &driver.RestoreRequest{Session: oldSession, Instance: instance(old, "1")})
	if !errors.Is(err, driver.ErrReplaced) {
		t.Errorf("restored what is another's with %v", err)
	}
	for _, b := range []*fake.Backend{old, young} {
		got, err := b.Deregister(t.Context(), &driver.DeregisterRequest{Name: "web", ID: "1", Owner: b.Label()})
		if err != nil || got.Removed != (b == young) {
			t.Errorf("%s: removed %+v, %v", b.Label(), got, err)
		}
	}
	_, err = old.Restore(t.Context(), &driver.RestoreRequest{Session: oldSession, Instance: instance(old, "1")})
	if err != nil {
		t.Errorf("restored what is absent with %v", err)
	}
}
