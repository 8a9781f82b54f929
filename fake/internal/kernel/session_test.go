package kernel

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// Sessions get what they ask for, within limits.
func TestOpenGrants(t *testing.T) {
	tests := map[string]struct {
		config Config
		ask    time.Duration
		want   Session
	}{
		"the default": {Config{}, 0, Session{TTL: 12 * time.Second, Every: 4 * time.Second}},
		"nonsense":    {Config{}, -time.Second, Session{TTL: 12 * time.Second, Every: 4 * time.Second}},
		"as asked":    {Config{}, 6 * time.Second, Session{TTL: 6 * time.Second, Every: 2 * time.Second}},
		"no less":     {Config{MinTTL: 9 * time.Second}, time.Second, Session{TTL: 9 * time.Second, Every: 3 * time.Second}},
		"no more":     {Config{MaxTTL: 3 * time.Second}, time.Hour, Session{TTL: 3 * time.Second, Every: time.Second}},
		"no overflow": {Config{Every: 1}, 1<<63 - 1, Session{TTL: longest, Every: 1}},
		"as told": {
			Config{Every: 5 * time.Second, Settle: 1},
			0,
			Session{TTL: 12 * time.Second, Every: 5 * time.Second, Settle: 1},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.config.TTL = 12 * time.Second
			w := newWorld(t, test.config)
			w.run(w.NewPeer("p"), func(tx *Tx) {
				got := tx.Open(test.ask)
				if test.want.ID = "session-1"; got != test.want {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
			})
		})
	}
}

// A session lasts for its TTL to the nanosecond, counted from its latest renewal, and then takes its records along
// without anybody asking.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		p := w.NewPeer("p")
		id := w.open(p, 10*time.Second)
		w.put(p, Create, id, thing{Scope: "s", Key: "a"})
		time.Sleep(9 * time.Second)
		w.run(p, func(tx *Tx) {
			if good, ok := tx.Renew(id); !ok || good != 10*time.Second {
				t.Errorf("renewed: %v, %v", good, ok)
			}
		})
		time.Sleep(10*time.Second - 1)
		if n := w.size("s"); n != 1 {
			t.Errorf("before the deadline %d records are left", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := w.size("s"); n != 0 {
			t.Errorf("at the deadline %d records are left", n)
		}
		result := w.run(p, func(tx *Tx) {
			if _, ok := tx.Renew(id); ok || tx.Live(id) || tx.End(id) {
				t.Error("the session is still there")
			}
		})
		if result.Wrote {
			t.Error("the operation says that it wrote")
		}
	})
}

// size looks at a scope without the expiry that comes with an operation.
func (w *world) size(scope string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.things.scopes[scope]; s != nil {
		return len(s.rows)
	}
	return 0
}

// An operation finds a session expired even if the timer is late, and the records of several go in the order of
// deadline, number and creation.
func TestExpiryOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		p := w.NewPeer("p")
		third, first, second := w.open(p, 3*time.Second), w.open(p, 2*time.Second), w.open(p, 2*time.Second)
		put := func(session, key string) { w.put(p, TakeOver, session, thing{Scope: "s", Key: key}) }
		put(second, "2a")
		put(first, "1b")
		put(third, "1a") // and then on to the first session: where it was created counts
		put(first, "1c")
		put(third, "3a")
		put(second, "2b")
		put(first, "1a")
		put(first, "1d")
		w.run(p, func(tx *Tx) { w.things.Delete(tx, "s", "1c", Anyone) })

		s := watch(w, p, func(tx *Tx) driver.Stream[thing] { return w.things.Watch(tx, "s") })
		drain(t, s)
		w.sessions.timer.Stop()
		time.Sleep(time.Minute)
		var order []string
		for _, b := range drain(t, s) {
			for _, c := range b.Changes {
				order = append(order, c.Record.Key)
			}
		}
		if want := []string{"1b", "1a", "1d", "2a", "2b", "3a"}; !slices.Equal(order, want) {
			t.Errorf("removed in the order %v, want %v", order, want)
		}
	})
}

// One timer serves all sessions, however their deadlines move.
func TestTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		p := w.NewPeer("p")
		left := func() int {
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.sessions.byID)
		}
		w.open(p, 10*time.Second)
		renewed := w.open(p, 8*time.Second)
		w.open(p, 5*time.Second) // earlier than what the timer is set to
		closed := w.open(p, 5*time.Second)
		w.run(p, func(tx *Tx) { tx.End(closed) })
		for _, step := range []struct{ sleep, left int }{{4, 3}, {1, 2}, {4, 2}, {1, 1}, {1, 1}, {2, 0}} {
			if step.sleep == 4 {
				w.run(p, func(tx *Tx) { tx.Renew(renewed) })
			}
			time.Sleep(time.Duration(step.sleep) * time.Second)
			if got := left(); got != step.left {
				t.Errorf("%d sessions are left, want %d", got, step.left)
			}
		}
		if w.sessions.armed {
			t.Error("the timer is set without a session")
		}
	})
}

// Sessions outlive their deadlines by as much as they are told to, and no longer than that.
func TestLateExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		p := w.NewPeer("p")
		id := w.open(p, 10*time.Second)
		w.SetLate(5 * time.Second)
		if got := w.Sessions(); len(got) != 1 || got[0].Left != 15*time.Second {
			t.Errorf("sessions: %+v", got)
		}
		live := func() (live bool) {
			w.run(p, func(tx *Tx) { live = tx.Live(id) })
			return live
		}
		time.Sleep(15*time.Second - 1)
		if !live() {
			t.Error("the session is gone too early")
		}
		w.run(p, func(tx *Tx) { tx.Renew(id) }) // as a client may that is late itself
		time.Sleep(12 * time.Second)
		if !live() {
			t.Error("the session is gone too early after its renewal")
		}
		w.SetLate(0)
		if live() {
			t.Error("the session outlives the end of the fault")
		}
		w.SetLate(1<<63 - 1)
		id = w.open(p, 10*time.Second)
		time.Sleep(time.Hour)
		if !live() {
			t.Error("the session is gone")
		}
	})
}

// A session's deadline is counted by the clock of the peer that renews it.
func TestClockRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		slow, other := w.NewPeer("slow"), w.NewPeer("other")
		slow.SetRate(0.5)
		w.open(other, 10*time.Second)
		id := w.open(slow, 10*time.Second)
		time.Sleep(4 * time.Second)
		w.run(slow, func(tx *Tx) {
			if good, _ := tx.Renew(id); good != 10*time.Second {
				t.Errorf("the servers say that it is good for %v", good)
			}
		})
		want := []SessionInfo{
			{ID: id, Peer: "slow", TTL: 10 * time.Second, Left: 5 * time.Second},
			{ID: "session-1", Peer: "other", TTL: 10 * time.Second, Left: 6 * time.Second},
		}
		if got := w.Sessions(); !slices.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// With a settling time, a renewal counts once another one is confirmed that came at least so much later: no later than
// that, and no earlier than necessary.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl, settle = 10 * time.Second, 2 * time.Second
		w := newWorld(t, Config{Settle: settle})
		p := w.NewPeer("p")
		id := w.open(p, ttl)
		left := func() time.Duration { return w.Sessions()[0].Left }
		renewals := []time.Duration{0} // times, the opening being the first
		start := time.Now()
		for _, after := range []int{1, 1, 3, 3, 1, 1, 1, 1, 2, 7} {
			time.Sleep(time.Duration(after) * time.Second)
			w.run(p, func(tx *Tx) { tx.Renew(id) })
			now := time.Since(start)
			promised := time.Duration(0)
			for _, at := range renewals {
				if now-at >= settle {
					promised = at
				}
			}
			got := now + left() - ttl
			if got < promised || got > renewals[len(renewals)-1] {
				t.Errorf("at %v the renewal at %v counts, not the one at %v", now, got, promised)
			}
			renewals = append(renewals, now)
		}
	})
}

// A peer that is kept from learning goes on being told that its sessions live: those that end meanwhile, by renewals
// alone, and until it closes them.
func TestHideEnds(t *testing.T) {
	w := newWorld(t, Config{})
	p, q := w.NewPeer("p"), w.NewPeer("q")
	renew := func(p *Peer, id string) (ok bool) {
		w.run(p, func(tx *Tx) {
			var good time.Duration
			if good, ok = tx.Renew(id); ok && good != 7*time.Second {
				t.Errorf("good for %v", good)
			}
		})
		return ok
	}
	before, hidden, closed := w.open(p, 7*time.Second), w.open(p, 7*time.Second), w.open(p, 7*time.Second)
	lost, others := w.open(p, 7*time.Second), w.open(q, 7*time.Second)
	w.EndSession(before)
	p.HideEnds(true)
	p.HideEnds(true)
	if n := p.EndSessions(); n != 3 {
		t.Errorf("ended %d sessions", n)
	}
	w.EndSession(others)
	w.run(p, func(tx *Tx) {
		tx.End(closed)
		if tx.Live(hidden) {
			t.Error("the session lives")
		}
		own := tx.Open(0)
		if !tx.End(own.ID) {
			t.Error("could not close a session")
		}
		closed = own.ID
	})
	for id, want := range map[string]bool{before: false, hidden: true, lost: true, closed: false, others: false} {
		if got := renew(p, id); got != want {
			t.Errorf("%s: renewed: %v", id, got)
		}
	}
	if renew(q, others) || renew(q, hidden) {
		t.Error("another peer is lied to")
	}
	p.HideEnds(false)
	if renew(p, hidden) {
		t.Error("still renewed")
	}
}

// A wipe ends all sessions and restarts the count of revisions, but names no two sessions alike.
func TestWipe(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	old := w.open(p, 0)
	w.put(p, Create, old, thing{Scope: "s", Key: "a"})
	w.run(p, func(tx *Tx) {
		if _, err := w.notes.Put(tx, note{Scope: "s", Key: "a"}, Create, ""); err != nil {
			t.Fatal(err)
		}
	})
	w.Wipe()
	w.run(p, func(tx *Tx) {
		names := append(w.things.Names(tx), w.notes.Names(tx)...)
		if len(names) > 0 || tx.Live(old) || tx.Revision() != 0 {
			t.Errorf("something is left: %v, revision %d", names, tx.Revision())
		}
	})
	fresh := w.open(p, 0)
	if fresh == old {
		t.Error("a session's name was used again")
	}
	if put := w.put(p, Create, fresh, thing{Scope: "s", Key: "b"}); put.Order != 1 || put.Revision != 1 {
		t.Errorf("the first write of the new life is %+v", put)
	}
	w.EndSession(fresh)
	if got := w.keys(p, "s"); got != nil {
		t.Errorf("left: %v", got)
	}
}
