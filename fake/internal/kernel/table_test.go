package kernel

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/go-reception/sdk/reception/driver"
)

// A put does what its mode says with what is there.
func TestPut(t *testing.T) {
	// There are a, of owner me and revision 1, and b, of revision 2.
	tests := map[string]struct {
		mode  Mode
		put   thing
		want  Put
		owner string   // of what is stored then
		keys  []string // in order
	}{
		"create": {
			Create,
			thing{Key: "c", Owner: "me"},
			Put{Order: 3, Revision: 3},
			"me",
			[]string{"a", "b", "c"},
		},
		"create what exists": {
			Create,
			thing{Key: "a", Owner: "you"},
			Put{Order: 1, Revision: 1, Existed: true},
			"me",
			[]string{"a", "b"},
		},
		"in place": {
			InPlace,
			thing{Key: "a", Owner: "me"},
			Put{Order: 1, Revision: 3, Existed: true},
			"me",
			[]string{"a", "b"},
		},
		"in place, another's": {
			InPlace,
			thing{Key: "a", Owner: "you"},
			Put{Order: 1, Revision: 3, Existed: true},
			"you",
			[]string{"a", "b"},
		},
		"in place, absent": {
			InPlace,
			thing{Key: "c", Owner: "me"},
			Put{Order: 3, Revision: 3},
			"me",
			[]string{"a", "b", "c"},
		},
		"take over one's own": {
			TakeOver,
			thing{Key: "a", Owner: "me"},
			Put{Order: 1, Revision: 3, Existed: true},
			"me",
			[]string{"a", "b"},
		},
		"take over another's": {
			TakeOver,
			thing{Key: "a", Owner: "you"},
			Put{Order: 3, Revision: 3, Displaced: "me", Existed: true},
			"you",
			[]string{"b", "a"},
		},
		"take over what is absent": {
			TakeOver,
			thing{Key: "c", Owner: "you"},
			Put{Order: 3, Revision: 3},
			"you",
			[]string{"a", "b", "c"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{})
			p := w.NewPeer("p")
			session, other := w.open(p, 0), w.open(p, 0)
			w.put(p, Create, session, thing{Scope: "s", Key: "a", Owner: "me"})
			w.put(p, Create, session, thing{Scope: "s", Key: "b", Owner: "me"})

			test.put.Scope = "s"
			if got := w.put(p, test.mode, other, test.put); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if got := w.keys(p, "s"); !slices.Equal(got, test.keys) {
				t.Errorf("keys are %v, want %v", got, test.keys)
			}
			w.run(p, func(tx *Tx) {
				r := w.things.Get(tx, "s", test.put.Key)
				if r.Owner != test.owner || r.Order != test.want.Order {
					t.Errorf("stored: %+v", r)
				}
				if left := test.want.Revision != 3; left != (r.Session == session) {
					t.Errorf("lives on %s, put on %s", r.Session, other)
				}
			})
		})
	}
}

// Records that have no owner are nobody's own: taking one over replaces it.
func TestPutWithoutOwner(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	w.run(p, func(tx *Tx) {
		for _, key := range []string{"a", "b"} {
			if _, err := w.notes.Put(tx, note{Scope: "s", Key: key}, Create, ""); err != nil {
				t.Fatal(err)
			}
		}
		got, err := w.notes.Put(tx, note{Scope: "s", Key: "a", Text: "new"}, TakeOver, "")
		if want := (Put{Order: 3, Revision: 3, Existed: true}); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		if head := w.notes.Head(tx, "s"); head.Key != "b" {
			t.Errorf("the head is %+v", head)
		}
	})
}

// On a session that is gone nothing is stored, in any mode.
func TestPutNeedsItsSession(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	session := w.open(p, 0)
	w.EndSession(session)
	for _, id := range []string{session, "", "nonsense"} {
		for _, mode := range []Mode{Create, InPlace, TakeOver} {
			result := w.run(p, func(tx *Tx) {
				if _, err := w.things.Put(tx, thing{Scope: "s", Key: "a"}, mode, id); !errors.Is(err, driver.ErrSessionExpired) {
					t.Errorf("session %q: %v", id, err)
				}
				if tx.Revision() != 0 {
					t.Error("something was written")
				}
			})
			if result.Wrote {
				t.Error("says that something was written")
			}
		}
	}
}

// A record that is put again on another session lives and dies with that one.
func TestRecordMovesToAnotherSession(t *testing.T) {
	for name, test := range map[string]struct {
		mode  Mode
		owner string
	}{
		"in place": {InPlace, "me"}, "take over one's own": {TakeOver, "me"}, "take over": {TakeOver, "you"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{})
			p := w.NewPeer("p")
			first, second := w.open(p, 0), w.open(p, 0)
			for _, key := range []string{"a", "b", "c"} {
				w.put(p, Create, first, thing{Scope: "s", Key: key, Owner: "me"})
			}
			w.put(p, test.mode, second, thing{Scope: "s", Key: "a", Owner: test.owner})
			w.EndSession(first)
			if got := w.keys(p, "s"); !slices.Equal(got, []string{"a"}) {
				t.Errorf("after the end of the first session there are %v", got)
			}
			w.EndSession(second)
			if got := w.keys(p, "s"); got != nil {
				t.Errorf("after the end of the second session there are %v", got)
			}
		})
	}
}

// Match, update and delete understand a condition alike, and without it nothing happens.
func TestConditions(t *testing.T) {
	tests := []struct {
		name      string
		key       string
		condition Condition
		want      Match
	}{
		{"anyone", "a", Anyone, Own},
		{"anyone, absent", "x", Anyone, Absent},
		{"owner", "a", OwnedBy("me"), Own},
		{"another owner", "a", OwnedBy("you"), Foreign},
		{"owner, absent", "x", OwnedBy("me"), Absent},
		{"older generation", "a", OwnedUpTo("me", 6), Foreign},
		{"the same generation", "a", OwnedUpTo("me", 7), Own},
		{"later generation", "a", OwnedUpTo("me", 8), Own},
		{"another owner, later generation", "a", OwnedUpTo("you", 8), Foreign},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			p := w.NewPeer("p")
			w.put(p, Create, w.open(p, 0), thing{Scope: "s", Key: "a", Owner: "me", Generation: 7})
			w.run(p, func(tx *Tx) {
				if got := w.things.Match(tx, "s", test.key, test.condition); got != test.want {
					t.Errorf("match: got %v, want %v", got, test.want)
				}
				was := w.things.Get(tx, "s", "a")
				u := w.things.Update(tx, "s", test.key, test.condition, func(r *thing) { r.Generation = 9 })
				now := w.things.Get(tx, "s", "a")
				if done := test.want == Own; u.Match != test.want || done != (now.Generation == 9) || done != (now == u.Record) {
					t.Errorf("update: got %+v; stored is %+v", u, now)
				}
				if was.Generation != 7 {
					t.Error("the update changed what readers hold")
				}
			})
		})
		t.Run("delete: "+test.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			p := w.NewPeer("p")
			w.put(p, Create, w.open(p, 0), thing{Scope: "s", Key: "a", Owner: "me", Generation: 7})
			result := w.run(p, func(tx *Tx) {
				if got := w.things.Delete(tx, "s", test.key, test.condition); got != test.want {
					t.Errorf("delete: got %v, want %v", got, test.want)
				}
			})
			left := len(w.keys(p, "s"))
			if gone := test.want == Own; gone != (left == 0) || gone != result.Wrote {
				t.Errorf("%d are left; wrote: %v", left, result.Wrote)
			}
		})
	}
}

// What is stored shares nothing with what was given, neither by a put nor by an update.
func TestRecordsAreCopiedOnTheWayIn(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	mine, more := map[string]string{"k": "v"}, map[string]string{"k": "w"}
	w.put(p, Create, w.open(p, 0), thing{Scope: "s", Key: "a", Tags: mine})
	mine["k"] = "changed"
	w.run(p, func(tx *Tx) {
		first := w.things.Get(tx, "s", "a")
		w.things.Update(tx, "s", "a", Anyone, func(r *thing) { r.Tags = more })
		more["k"] = "changed"
		second := w.things.Get(tx, "s", "a")
		if first.Tags["k"] != "v" || second.Tags["k"] != "w" {
			t.Errorf("stored %v, then %v", first.Tags, second.Tags)
		}
		if again := w.things.Get(tx, "s", "a"); again != second {
			t.Error("readers get copies, and need none")
		}
	})
}

// What is read is the scope's, in order, and nothing where there is nothing.
func TestReading(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	session := w.open(p, 0)
	for _, key := range []string{"z", "m", "a"} {
		w.put(p, Create, session, thing{Scope: "two", Key: key})
	}
	w.put(p, Create, session, thing{Scope: "one", Key: "x"})
	w.run(p, func(tx *Tx) {
		if got := w.things.Names(tx); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("names: %v", got)
		}
		if w.things.Count(tx, "two") != 3 || w.things.Count(tx, "none") != 0 {
			t.Error("wrong count")
		}
		if w.things.Head(tx, "two").Key != "z" || w.things.Head(tx, "none") != nil {
			t.Error("wrong head")
		}
		if w.things.Get(tx, "two", "x") != nil || w.things.Get(tx, "none", "x") != nil {
			t.Error("got what is not there")
		}
		if w.things.List(tx, "none") != nil {
			t.Error("listed what is not there")
		}
		for key, want := range map[string]bool{"z": true, "m": false, "none": false} {
			if got := w.things.Leads(tx, "two", key, 1); got != want {
				t.Errorf("%s leads: %v", key, got)
			}
		}
		if w.things.Leads(tx, "two", "z", 2) {
			t.Error("leads by another's number")
		}
	})
	if got := w.keys(p, "two"); !slices.Equal(got, []string{"z", "m", "a"}) {
		t.Errorf("listed %v", got)
	}
}

// Lists that were handed out do not change, however they are shared.
func TestListsDoNotChange(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	session := w.open(p, 0)
	list := func() (l []*thing) {
		w.run(p, func(tx *Tx) { l = w.things.List(tx, "s") })
		return l
	}
	w.put(p, Create, session, thing{Scope: "s", Key: "a"})
	before := list()
	copied := slices.Clone(before)
	w.put(p, Create, session, thing{Scope: "s", Key: "b"})
	w.put(p, InPlace, session, thing{Scope: "s", Key: "a", Owner: "me"})
	if !reflect.DeepEqual(before, copied) || len(list()) != 2 {
		t.Errorf("the list became %v", before)
	}
}

// Scopes that nobody needs are forgotten.
func TestEmptyScopesAreForgotten(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	session := w.open(p, 0)
	w.put(p, Create, session, thing{Scope: "s", Key: "a"})
	s := watch(w, p, func(tx *Tx) driver.Stream[thing] { return w.things.Watch(tx, "s") })
	key := watch(w, p, func(tx *Tx) driver.Stream[thing] { return w.things.WatchKey(tx, "t", "a") })
	w.run(p, func(tx *Tx) { w.things.Delete(tx, "s", "a", Anyone) })
	if len(w.things.scopes) != 2 {
		t.Error("a scope was forgotten that is watched")
	}
	s.Close()
	key.Close()
	if len(w.things.scopes) != 0 {
		t.Errorf("%d scopes are left", len(w.things.scopes))
	}
}

// A record can be removed by the names of its kind, scope and key.
func TestRemoveBehindEveryonesBack(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	w.put(p, Create, w.open(p, 0), thing{Scope: "s", Key: "a"})
	for _, test := range []struct {
		kind, scope, key string
		removed, ok      bool
	}{
		{"thing", "s", "x", false, true},
		{"note", "s", "a", false, true},
		{"thing", "s", "a", true, true},
		{"thing", "s", "a", false, true},
		{"other", "s", "a", false, false},
	} {
		if removed, ok := w.Remove(test.kind, test.scope, test.key); removed != test.removed || ok != test.ok {
			t.Errorf("%+v: removed %v, ok %v", test, removed, ok)
		}
	}
	if got := w.Kinds(); !slices.Equal(got, []string{"thing", "note"}) {
		t.Errorf("kinds: %v", got)
	}
}
