package kernel

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A change shows to its writer at once, and to others when the lag is over: to the nanosecond, in all that is read.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lag = time.Second
		w := newWorld(t, Config{})
		p, q := w.NewPeer("p"), w.NewPeer("q")
		session := w.open(p, time.Hour)
		w.put(p, Create, session, thing{Scope: "s", Key: "z"})
		w.SetLag(lag)
		w.put(p, Create, session, thing{Scope: "s", Key: "a"})
		w.run(p, func(tx *Tx) {
			w.things.Delete(tx, "s", "z", Anyone)
			w.things.Update(tx, "s", "a", Anyone, func(r *thing) { r.Owner = "new" })
		})
		w.put(p, Create, session, thing{Scope: "t", Key: "b"})

		type view struct {
			s, names []string
			head     string
			got      bool // a
			revision uint64
		}
		look := func(p *Peer) (v view) {
			v.s = w.keys(p, "s")
			w.run(p, func(tx *Tx) {
				v.head = w.things.Head(tx, "s").Key
				v.got = w.things.Get(tx, "s", "a") != nil
				if v.revision = tx.Revision(); w.things.Count(tx, "s") != len(v.s) {
					t.Error("count and list differ")
				}
			})
			w.run(p, func(tx *Tx) { v.names = w.things.Names(tx) })
			return v
		}
		check := func(when string, got, want view) {
			t.Helper()
			if !slices.Equal(got.s, want.s) || !slices.Equal(got.names, want.names) || got.head != want.head ||
				got.got != want.got || got.revision != want.revision {
				t.Errorf("%s: got %+v, want %+v", when, got, want)
			}
		}
		before := view{[]string{"z"}, []string{"s"}, "z", false, 1}
		after := view{[]string{"a"}, []string{"s", "t"}, "a", true, 5}
		check("the writer", look(p), after)
		check("another, at once", look(q), before)
		time.Sleep(lag - 1)
		check("another, a moment too early", look(q), before)
		time.Sleep(time.Nanosecond)
		check("another, in time", look(q), after)

		w.put(p, Create, session, thing{Scope: "s", Key: "c"})
		w.put(q, Create, session, thing{Scope: "u", Key: "d"})
		if got := w.keys(q, "s"); !slices.Equal(got, []string{"a", "c"}) {
			t.Errorf("after a write of its own it does not see what was written before: %v", got)
		}
	})
}

// What decides about writes, and turns, does not lag.
func TestConditionsDoNotLag(t *testing.T) {
	w := newWorld(t, Config{})
	p, q := w.NewPeer("p"), w.NewPeer("q")
	w.SetLag(time.Hour)
	w.put(p, Create, w.open(p, 0), thing{Scope: "s", Key: "a", Owner: "me"})
	w.run(q, func(tx *Tx) {
		if w.things.Match(tx, "s", "a", OwnedBy("me")) != Own || !w.things.Leads(tx, "s", "a", 1) {
			t.Error("the record is not seen")
		}
		if _, there, err := w.things.Await(tx, "s", "a"); !there || err != nil {
			t.Errorf("turn: %v, %v", there, err)
		}
		if w.things.Get(tx, "s", "a") != nil {
			t.Error("reading does not lag")
		}
		if w.things.Delete(tx, "s", "a", OwnedBy("me")) != Own {
			t.Error("not deleted")
		}
	})
}

// Streams of all kinds wait for what is hidden, and deliver it in time.
func TestStreamsLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lag = time.Second
		w := newWorld(t, Config{})
		p, q := w.NewPeer("p"), w.NewPeer("q")
		w.SetLag(lag)
		session := w.open(p, time.Hour)
		for name, open := range map[string]func(tx *Tx) driver.Stream[thing]{
			"scope": func(tx *Tx) driver.Stream[thing] { return w.things.Watch(tx, "s") },
			"key":   func(tx *Tx) driver.Stream[thing] { return w.things.WatchKey(tx, "s", "a") },
			"head":  func(tx *Tx) driver.Stream[thing] { return w.things.WatchHead(tx, "s") },
		} {
			for _, reader := range []*Peer{p, q} {
				var s driver.Stream[thing]
				w.Run(Caller{Context: t.Context(), Peer: reader, Line: wire{}}, func(tx *Tx) error {
					s = open(tx)
					return nil
				})
				next := func(want int) time.Duration {
					start := time.Now()
					b, err := s.Next(t.Context())
					if err != nil || len(b.Changes) != want {
						t.Fatalf("%s: %+v, %v", name, b, err)
					}
					return time.Since(start)
				}
				next(0)
				w.put(p, Create, session, thing{Scope: "s", Key: "a"})
				time.Sleep(lag / 4)
				want := lag * 3 / 4
				if reader == p {
					want = 0
				}
				if got := next(1); got != want {
					t.Errorf("%s: delivered after %v, want %v", name, got, want)
				}

				// The end of the lag is the end of the wait.
				w.Remove("thing", "s", "a")
				time.AfterFunc(lag/2, func() { w.SetLag(0) })
				if got := next(map[string]int{"scope": 1}[name]); got != lag/2 {
					t.Errorf("%s: delivered after %v, want %v", name, got, lag/2)
				}
				s.Close()
				w.SetLag(lag)
			}
		}
	})
}

// Compaction loses what views are made of: everything shows at once, and streams begin anew.
func TestCompactionEndsLag(t *testing.T) {
	w := newWorld(t, Config{})
	p, q := w.NewPeer("p"), w.NewPeer("q")
	w.SetLag(time.Hour)
	all, _, _ := streams(w, q)
	w.news(all)
	w.put(p, Create, w.open(p, 0), thing{Scope: "s", Key: "a"})
	if got := w.news(all); got != nil {
		t.Errorf("got %q", got)
	}
	w.Compact()
	if got := w.news(all); !slices.Equal(got, []string{"reset +a @1"}) {
		t.Errorf("got %q", got)
	}
}

// A scope that was emptied is kept for those who still see its records, and then forgotten.
func TestEmptiedScopesAreForgottenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		p, q := w.NewPeer("p"), w.NewPeer("q")
		w.SetLag(time.Second)
		session := w.open(p, time.Hour)
		for range 2 {
			w.put(p, Create, session, thing{Scope: "s", Key: "a"})
			time.Sleep(time.Second)
			w.Remove("thing", "s", "a")
			w.put(p, Create, session, thing{Scope: "t", Key: "a"})
			if got := w.keys(q, "s"); !slices.Equal(got, []string{"a"}) {
				t.Errorf("another sees %v", got)
			}
		}
		time.Sleep(time.Second)
		w.put(p, Create, session, thing{Scope: "u", Key: "a"})
		if len(w.things.scopes) != 2 || w.things.scopes["s"] != nil {
			t.Errorf("there are %d scopes", len(w.things.scopes))
		}
	})
}
