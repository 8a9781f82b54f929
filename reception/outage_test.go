package reception_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A diary remembers what callbacks are told, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

// callback returns one that writes to the diary, under a name.
func (d *diary) callback(name string) func(error) {
	return func(err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, known := range []error{reception.ErrDisconnected, reception.ErrSessionExpired, reception.ErrReplaced} {
			if errors.Is(err, known) {
				d.lines = append(d.lines, name+": "+known.Error())
			}
		}
	}
}

func (d *diary) check(s *scene, want ...string) {
	s.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.lines, want) {
		s.Errorf("told\n\t%s\nwant\n\t%s", strings.Join(d.lines, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// has says whether somebody was told that.
func (d *diary) has(line string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.lines, line)
}

const (
	disconnected   = ": disconnected, registration in question"
	sessionExpired = ": session expired"
)

func TestUpdateInAnOutage(t *testing.T) {
	// The session is in question when the registration is updated: the new callback, which has heard nothing of that, is
	// told all of it, and the old one nothing more.
	bubble(t, func(s *scene) {
		var told diary
		if err := s.client.Register(s.Context(), api("a", 1), told.callback("one")); err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "RenewSession", Err: driver.ErrUnavailable, Times: fake.Always})
		time.Sleep(ttl - time.Second) // past the horizon
		if err := s.client.Register(s.Context(), api("a", 2), told.callback("two")); err != nil {
			s.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		told.check(s, "one"+disconnected, "two"+disconnected, "two"+sessionExpired)
	})
}

func TestUpdateEndsAnOutage(t *testing.T) {
	// The session has expired, and the record comes back by an update rather than a Restore: the next outage is told, too.
	bubble(t, func(s *scene) {
		var told diary
		if err := s.client.Register(s.Context(), api("a", 1), told.callback("one")); err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "Restore", Err: driver.ErrUnavailable, Times: fake.Always})
		for _, name := range []string{"two", "three"} {
			s.backend.Cut()
			time.Sleep(2 * ttl)
			s.backend.Heal()
			time.Sleep(ttl)
			if err := s.client.Register(s.Context(), api("a", 2), told.callback(name)); err != nil {
				s.Fatal(err)
			}
		}
		told.check(s, "one"+disconnected, "one"+sessionExpired, "two"+disconnected, "two"+sessionExpired)
	})
}

func TestRegisterInAnOutage(t *testing.T) {
	// The session is in question when a registration is added to it: its owner hears of that before the session expires.
	bubble(t, func(s *scene) {
		var told diary
		register(s, s.client, api("a", 1))
		s.inject(fake.Fault{Operation: "RenewSession", Err: driver.ErrUnavailable, Times: fake.Always})
		time.Sleep(ttl - time.Second) // past the horizon
		if err := s.client.Register(s.Context(), api("b", 2), told.callback("b")); err != nil {
			s.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		told.check(s, "b"+disconnected, "b"+sessionExpired)
	})
}

func TestRegisterBeforeASecondLapse(t *testing.T) {
	// What was confirmed before the outage settles after the session has lapsed, and the session is certain for a while;
	// a registration is added to it; and it lapses again, before a confirmation has ended the outage. Whoever was told of
	// the first lapse is not told of the second; who has come in between is, and not before.
	bubble(t, func(s *scene) {
		var told diary
		if err := s.client.Register(s.Context(), api("a", 1), told.callback("a")); err != nil {
			s.Fatal(err)
		}
		time.Sleep(12 * time.Second) // the confirmation of 10 s has not settled, that of 5 s has
		fault := fake.Fault{Operation: "RenewSession", Err: driver.ErrUnavailable, Times: fake.Always}
		heal, err := s.backend.Inject(fault)
		if err != nil {
			s.Fatal(err)
		}
		time.Sleep(47100 * time.Millisecond) // it has lapsed at 59 s
		synctest.Wait()
		told.check(s, "a"+disconnected)
		heal()
		time.Sleep(2 * time.Second) // another confirmation, which is tried for every 1.9 s at least, lets that of 10 s settle
		s.inject(fault)
		if err := s.client.Register(s.Context(), api("b", 2), told.callback("b")); err != nil {
			s.Fatal(err)
		}
		time.Sleep(2800 * time.Millisecond)
		told.check(s, "a"+disconnected)
		time.Sleep(200 * time.Millisecond) // it lapses again at 64 s
		synctest.Wait()
		told.check(s, "a"+disconnected, "b"+disconnected)
	}, fake.WithTTL(time.Minute), fake.WithRenewEvery(5*time.Second), fake.WithSettle(4*time.Second))
}

func TestRestoreInTheNextOutage(t *testing.T) {
	// The session has expired, and the next one is in question before the record comes back on it: the owner hears of that
	// before the next one expires, too.
	bubble(t, func(s *scene) {
		backend := s.Backend()
		client := reception.NewClient(backend, reception.WithBackoff(10*time.Millisecond, 20*time.Millisecond))
		defer client.Close()
		inject := func(operation string) (remove func()) {
			remove, err := backend.Inject(fake.Fault{Operation: operation, Err: driver.ErrUnavailable, Times: fake.Always})
			if err != nil {
				s.Fatal(err)
			}
			return remove
		}
		var told diary
		if err := client.Register(s.Context(), api("a", 1), told.callback("a")); err != nil {
			s.Fatal(err)
		}
		restore := inject("Restore")
		backend.Cut()
		time.Sleep(2 * ttl)
		backend.Heal()
		for !told.has("a" + sessionExpired) {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond) // there is another session
		inject("RenewSession")
		time.Sleep(ttl - time.Second) // past its horizon
		told.check(s, "a"+disconnected, "a"+sessionExpired)
		restore()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		s.sees(0, 1)
		told.check(s, "a"+disconnected, "a"+sessionExpired, "a"+disconnected)
	})
}

func TestRestoredAndRemovedUnseen(t *testing.T) {
	// The watch has told that the record is gone. It is restored, and removed again before the watch has told of either:
	// there is nothing left to tell, and who waits for the watch alone waits for ever.
	bubble(t, func(s *scene) {
		register(s, s.client, api("a", 1))
		s.inject(fake.Fault{Operation: "Restore", Stage: fake.After, Hook: func(context.Context, driver.Call) error {
			_, err := s.Delete("instance", "api", "a")
			return err
		}})
		if _, err := s.Delete("instance", "api", "a"); err != nil {
			s.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		s.sees(0, 1)
	})
}

func TestRestoreThatIsSwallowed(t *testing.T) {
	// The backend never answers the first Restore: another one is sent.
	bubble(t, func(s *scene) {
		register(s, s.client, api("a", 1))
		s.inject(fake.Fault{Operation: "Restore", Delay: time.Hour})
		if _, err := s.Delete("instance", "api", "a"); err != nil {
			s.Fatal(err)
		}
		time.Sleep(12 * time.Second)
		s.sees(0, 1)
	})
}

func TestSessionsThatEndAtOnce(t *testing.T) {
	// The backend opens every session that it is asked for, and drops it at the first renewal, which comes at once where
	// confirmations need to settle: it is asked for the next one after a wait, and after longer and longer ones.
	bubble(t, func(s *scene) {
		s.inject(fake.Fault{Operation: "RenewSession", Err: reception.ErrSessionExpired, Times: fake.Always})
		register(s, s.client, api("a", 1)) // which may take a while: each session may be gone before it is used
		before := s.calls(driver.OpOpenSession)
		time.Sleep(time.Minute)
		if opened := s.calls(driver.OpOpenSession) - before; opened < 5 || opened > 40 {
			s.Errorf("%d sessions in a minute, want some and not many", opened)
		}
	}, fake.WithSettle(4*time.Second))
}
