package zookeeper

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// of is an instance as an owner writes it.
func of(owner, id string, generation uint64) driver.Instance {
	i := instance(id)
	i.Owner, i.Generation = owner, generation
	return i
}

// A party is one client with a session.
type party struct {
	t  *testing.T
	b  *backend
	on driver.SessionID
}

func (s *stub) party() *party {
	b := s.backend()
	return &party{s.t, b, session(s.t, b)}
}

// registers stores an instance, and returns whom that has displaced.
func (w *party) registers(i driver.Instance) string {
	w.t.Helper()
	done, err := w.b.Register(w.t.Context(), &driver.RegisterRequest{Session: w.on, Instance: i})
	if err != nil {
		w.t.Error(err)
		return ""
	}
	return done.Displaced
}

func (w *party) restores(i driver.Instance) error {
	_, err := w.b.Restore(w.t.Context(), &driver.RestoreRequest{Session: w.on, Instance: i})
	return err
}

// deregisters reports whether there was something to remove.
func (w *party) deregisters(owner, id string, generation uint64) bool {
	w.t.Helper()
	done, err := w.b.Deregister(w.t.Context(),
		&driver.DeregisterRequest{Name: "api", ID: id, Owner: owner, Generation: generation})
	if err != nil {
		w.t.Error(err)
		return false
	}
	return done.Removed
}

// owns fails unless there is one record of an instance, which is the owner's, or none if that is empty; and unless
// records and holders belong together.
func (s *stub) owns(owner, id string) {
	s.t.Helper()
	records := s.under("/reception/services/api", id+",")
	s.mu.Lock()
	defer s.mu.Unlock()
	named := ""
	if holder := s.nodes["/reception/holders/api/"+id]; holder != nil {
		named = string(holder.data)
	}
	switch {
	case owner == "" && len(records) == 0 && named == "":
	case owner == "" || len(records) != 1 || named != records[0]:
		s.t.Errorf("the records are %q, of which the holder names %q", records, named)
	default:
		n := s.nodes["/reception/services/api/"+records[0]]
		if r, err := decode(n.data); err != nil || r.Owner != owner {
			s.t.Errorf("the record is %s, want %s's", n.data, owner)
		}
	}
}

// crossed has something happen right before the next transaction about a path is carried out, on its way to the servers.
func (s *stub) crossed(path string, happens func()) (crossed *atomic.Bool) {
	crossed = new(atomic.Bool)
	s.act(func(op int32, on string) stubAction {
		if op == opMulti && strings.Contains(on, path) && crossed.CompareAndSwap(false, true) {
			happens()
		}
		return answer
	})
	return crossed
}

// TestCostOfARegistration counts what it costs to register, update, take over, restore and deregister an instance: the
// same among ten as among a thousand.
func TestCostOfARegistration(t *testing.T) {
	costs := make(map[int]string)
	for _, n := range []int{10, 1000} {
		s := serve(t)
		s.timeout = time.Minute             // so that nobody pings meanwhile
		s.do(func() { s.zxid = 1_000_000 }) // as many digits in all
		a, b := s.party(), s.party()
		for i := range n {
			a.registers(of("a", fmt.Sprint(10_000+i), 1))
		}
		measure := func(what string, act func()) {
			s.do(func() { clear(s.requests); s.bytes = 0 })
			act()
			s.mu.Lock()
			defer s.mu.Unlock()
			costs[n] += fmt.Sprintln(what, s.requests, s.bytes)
		}
		measure("register", func() { a.registers(of("a", "x", 1)) })
		measure("update", func() { a.registers(of("a", "x", 2)) })
		measure("take over", func() { b.registers(of("b", "x", 1)) })
		measure("yield", func() {
			if err := a.restores(of("a", "x", 2)); !errors.Is(err, driver.ErrReplaced) {
				t.Error(err)
			}
		})
		measure("deregister", func() { b.deregisters("b", "x", 1) })
		measure("restore", func() {
			if err := b.restores(of("b", "x", 1)); err != nil {
				t.Error(err)
			}
		})
		measure("watch", func() {
			stream, err := b.b.OpenWatchRegistration(t.Context(), &driver.WatchRegistrationRequest{Name: "api", ID: "x"})
			if err != nil {
				t.Fatal(err)
			}
			stream.Close()
		})
	}
	if costs[10] != costs[1000] {
		t.Errorf("among ten:\n%s\namong a thousand:\n%s", costs[10], costs[1000])
	}
	want := fmt.Sprintln("register", map[int32]int{opMulti: 1})
	if want = want[:len(want)-1]; !strings.HasPrefix(costs[10], want) {
		t.Errorf("got %s, want %s", costs[10], want)
	}
	t.Log(costs[10])
}

// TestTakeOver has one client take over what another one has, who learns of it when it asks, and leaves it alone.
func TestTakeOver(t *testing.T) {
	s := serve(t)
	a, b := s.party(), s.party()
	a.registers(of("a", "1", 1))
	if displaced := b.registers(of("b", "1", 1)); displaced != "a" {
		t.Errorf("%q is displaced", displaced)
	}
	if err := a.restores(of("a", "1", 1)); !errors.Is(err, driver.ErrReplaced) {
		t.Errorf("Restore: %v", err)
	}
	if a.deregisters("a", "1", 1) {
		t.Error("what is b's was removed as a's")
	}
	s.owns("b", "1")
	if displaced := a.registers(of("a", "1", 2)); displaced != "b" {
		t.Errorf("%q is displaced", displaced)
	}
	s.owns("a", "1")
	if a.deregisters("a", "1", 1) {
		t.Error("a later generation was removed")
	}
	if !a.deregisters("a", "1", 2) {
		t.Error("nothing was removed")
	}
	s.owns("", "1")
}

// TestWritesCross has somebody take an instance over while a write of its owner is on its way.
func TestWritesCross(t *testing.T) {
	register := func(t *testing.T, a *party) {
		t.Helper()
		if displaced := a.registers(of("a", "1", 2)); displaced != "b" {
			t.Errorf("%q is displaced", displaced)
		}
	}
	restore := func(t *testing.T, a *party) {
		t.Helper()
		if err := a.restores(of("a", "1", 1)); !errors.Is(err, driver.ErrReplaced) {
			t.Errorf("Restore: %v", err)
		}
	}
	deregister := func(t *testing.T, a *party) {
		t.Helper()
		if a.deregisters("a", "1", 1) {
			t.Error("something was removed")
		}
	}
	tests := []struct {
		name string
		has  bool // the owner has the instance before that
		act  func(t *testing.T, a *party)
		want string // who has it in the end
	}{
		{"a registration", false, register, "a"},
		{"an update", true, register, "a"},
		{"a restoring of what was lost", false, restore, "b"},
		{"a restoring of what is there", true, restore, "b"},
		{"a removal", true, deregister, "b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t)
			a, b := s.party(), s.party()
			if test.has {
				a.registers(of("a", "1", 1))
			}
			crossed := s.crossed("/services/api/1,", func() { b.registers(of("b", "1", 1)) })
			if test.act(t, a); !crossed.Load() {
				t.Error("nothing has crossed")
			}
			s.owns(test.want, "1")
		})
	}
}

// TestGhostGoes has the session of the one who has an instance end while it is taken over.
func TestGhostGoes(t *testing.T) {
	for _, at := range []string{"before the first attempt", "before the second"} {
		t.Run(at, func(t *testing.T) {
			s := serve(t)
			a, b := s.party(), s.party()
			a.registers(of("a", "1", 1))
			var ghost int64
			s.do(func() { ghost = s.nodes["/reception/holders/api/1"].stat.EphemeralOwner })
			skip := new(atomic.Bool)
			skip.Store(at == "before the first attempt")
			s.act(func(op int32, on string) stubAction {
				if op == opMulti && strings.Contains(on, "/services/api/1,") && skip.Swap(true) {
					s.do(func() { s.end(ghost) })
				}
				return answer
			})
			b.registers(of("b", "1", 1))
			s.owns("b", "1")
		})
	}
}

// TestAnswersAreLost has the answer to a write be lost that was carried out, or the write itself. What follows finds what
// there is: one record, or none.
func TestAnswersAreLost(t *testing.T) {
	writes := map[string]func(a *party) error{
		"an update": func(a *party) error {
			_, err := a.b.Register(a.t.Context(), &driver.RegisterRequest{Session: a.on, Instance: of("a", "1", 2)})
			return err
		},
		"a take-over": func(a *party) error {
			_, err := a.b.Register(a.t.Context(), &driver.RegisterRequest{Session: a.on, Instance: of("a", "theirs", 2)})
			return err
		},
		"a registration": func(a *party) error {
			_, err := a.b.Register(a.t.Context(), &driver.RegisterRequest{Session: a.on, Instance: of("a", "new", 2)})
			return err
		},
		"a removal": func(a *party) error {
			_, err := a.b.Deregister(a.t.Context(),
				&driver.DeregisterRequest{Name: "api", ID: "1", Owner: "a", Generation: 2})
			return err
		},
	}
	ids := map[string]string{"an update": "1", "a take-over": "theirs", "a registration": "new", "a removal": "1"}
	for what, write := range writes {
		for how, action := range map[string]stubAction{"the answer": loseReply, "the request": drop} {
			for _, then := range []string{"register", "deregister"} {
				t.Run(how+" to "+what+", then "+then, func(t *testing.T) {
					s := serve(t)
					a, b := s.party(), s.party()
					a.registers(of("a", "1", 1))
					b.registers(of("b", "theirs", 1))
					id, lost := ids[what], new(atomic.Bool)
					s.act(func(op int32, on string) stubAction {
						failed := what == "a take-over" && s.count(opGetData) == 0 // the first attempt, which is refused
						if op == opMulti && !failed && strings.Contains(on, "/services/api/"+id) && lost.CompareAndSwap(false, true) {
							return action
						}
						return answer
					})
					s.do(func() { s.requests[opGetData] = 0 })
					if err := write(a); !errors.Is(err, driver.ErrOutcomeUnknown) || !lost.Load() {
						t.Fatalf("lost: %v; %v", lost.Load(), err)
					}
					if then == "register" {
						a.registers(of("a", id, 3))
						s.owns("a", id)
					}
					removed, left := a.deregisters("a", id, 3), ""
					if then == "deregister" && what == "a take-over" && action == drop {
						left = "b"
					}
					if then == "register" && !removed {
						t.Error("nothing was removed")
					}
					s.owns(left, id)
				})
			}
		}
	}
}

// TestRanksOfTheRestored has both of two owners lose the record, and restore it in the wrong order.
func TestRanksOfTheRestored(t *testing.T) {
	s := serve(t)
	a, b := s.party(), s.party()
	a.registers(of("a", "1", 1))
	b.registers(of("b", "1", 1))
	s.do(func() {
		for p := range s.nodes {
			if strings.Contains(p, "/api/") {
				s.delete(p)
			}
		}
	})
	if err := a.restores(of("a", "1", 1)); err != nil {
		t.Error(err)
	}
	s.owns("a", "1")
	if err := b.restores(of("b", "1", 1)); err != nil {
		t.Error(err)
	}
	if err := a.restores(of("a", "1", 1)); !errors.Is(err, driver.ErrReplaced) {
		t.Errorf("Restore: %v", err)
	}
	s.owns("b", "1")
}
