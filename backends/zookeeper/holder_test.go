package zookeeper

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// remove deletes, as an administrator would, what there is at and below paths that contain text.
func (s *stub) remove(text string) {
	s.do(func() {
		for p := range s.nodes {
			if strings.Contains(p, text) {
				s.zxid++
				s.delete(p)
			}
		}
	})
}

// TestRecordIsDeletedByHand leaves a holder that names nothing. Two clients register the instance at the same time; one of
// them has it then, and nothing of the other's is left.
func TestRecordIsDeletedByHand(t *testing.T) {
	s := serve(t)
	a, b := s.party(), s.party()
	for range 50 {
		a.registers(of("a", "1", 1))
		s.remove("/services/api/1,")
		var both sync.WaitGroup
		for owner, p := range map[string]*party{"a": a, "b": b} {
			both.Go(func() { p.registers(of(owner, "1", 1)) })
		}
		both.Wait()
		left := s.under("/reception/services/api", "1,")
		if len(left) != 1 {
			t.Fatalf("%q are left", left)
		}
		if removed := a.deregisters("a", "1", 1) != b.deregisters("b", "1", 1); !removed {
			t.Error("it is not one's alone")
		}
		s.owns("", "1")
	}
}

// TestHolderChangesWhileItIsFilled has somebody register an instance whose holder names nothing, while somebody else is
// about to, or is about to restore it. What the latter has created on the way is gone in the end.
func TestHolderChangesWhileItIsFilled(t *testing.T) {
	for _, restore := range []bool{false, true} {
		s := serve(t)
		a, b, c := s.party(), s.party(), s.party()
		a.registers(of("a", "1", 1))
		s.remove("/services/api/1,")
		var attempts atomic.Int32
		s.act(func(op int32, on string) stubAction {
			// The first is refused by the holder, the second fills it.
			if op == opMulti && strings.Contains(on, "/services/api/1,") && attempts.Add(1) == 2 {
				c.registers(of("c", "1", 1))
			}
			return answer
		})
		if restore {
			if err := b.restores(of("b", "1", 1)); !errors.Is(err, driver.ErrReplaced) {
				t.Errorf("Restore: %v", err)
			}
			eventually(t, "what was filled is gone", func() bool { return len(s.under("/reception/services/api", "1,")) == 1 })
			s.owns("c", "1")
			continue
		}
		if displaced := b.registers(of("b", "1", 1)); displaced != "c" {
			t.Errorf("%q is displaced", displaced)
		}
		s.owns("b", "1")
	}
}

// TestWriteIsLostWhileAHolderIsFilled has the write be lost for which the record of a holder was created.
func TestWriteIsLostWhileAHolderIsFilled(t *testing.T) {
	for _, lost := range []int32{2, 3} {
		s := serve(t)
		a, b := s.party(), s.party()
		a.registers(of("a", "1", 1))
		s.remove("/services/api/1,")
		var attempts atomic.Int32
		s.act(func(op int32, on string) stubAction {
			if op == opMulti && strings.Contains(on, "/services/api/1,") && attempts.Add(1) == lost {
				return drop
			}
			return answer
		})
		_, err := b.b.Register(t.Context(), &driver.RegisterRequest{Session: b.on, Instance: of("b", "1", 1)})
		if !errors.Is(err, driver.ErrOutcomeUnknown) {
			t.Errorf("Register: %v", err)
		}
		eventually(t, "nothing is left", func() bool { return len(s.under("/reception/services/api", "1,")) == 0 })
		a.registers(of("a", "1", 2))
		s.owns("a", "1")
	}
}

// TestHolderIsDeletedByHand has an update, a removal and a restoring find a record without its holder.
func TestHolderIsDeletedByHand(t *testing.T) {
	s := serve(t)
	a := s.party()
	a.registers(of("a", "1", 1))
	s.remove("/holders/api/1")
	a.registers(of("a", "1", 2))
	s.owns("a", "1")
	s.remove("/holders/api")
	if err := a.restores(of("a", "1", 2)); err != nil {
		t.Error(err)
	}
	s.owns("a", "1")
	s.remove("/holders")
	if !a.deregisters("a", "1", 2) {
		t.Error("there was nothing to remove")
	}
	s.owns("", "1")
}

// TestHoldersAreRestored has an administrator delete the holders, and whoever keeps a registration up notice it when it
// looks again, although the record has been there all along.
func TestHoldersAreRestored(t *testing.T) {
	s := serve(t)
	client := s.client(WithRelistInterval(50 * time.Millisecond))
	service := &reception.Service{Name: "api", ID: "1", Address: "192.0.2.1"}
	if err := client.Register(t.Context(), service, nil); err != nil {
		t.Fatal(err)
	}
	s.remove("/holders")
	eventually(t, "the holder is back", func() bool {
		return len(s.names("/reception/holders/api")) == 1 && len(s.names("/reception/services/api")) == 1
	})
}

// TestDisplacedIsToldOnce has a client be cut off, another one take its registration over meanwhile, and the first come
// back. It is told once, and does not fight back.
func TestDisplacedIsToldOnce(t *testing.T) {
	s := serve(t)
	b := s.backend()
	first, second := reception.NewClient(b), s.client()
	t.Cleanup(func() { _ = first.Close() })
	service := &reception.Service{Name: "api", ID: "1", Address: "192.0.2.1"}
	told := make(chan error, 10)
	if err := first.Register(t.Context(), service, func(err error) { told <- err }); err != nil {
		t.Fatal(err)
	}
	b.link.lost()
	if err := second.Register(t.Context(), service, nil); err != nil {
		t.Fatal(err)
	}
	b.link.gained(s.timeout, driver.Moment{})
	select {
	case err := <-told:
		if !errors.Is(err, reception.ErrReplaced) {
			t.Errorf("told: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it is not told")
	}
	renewals := s.count(opMulti)
	eventually(t, "a while has passed", func() bool { return s.count(opMulti) > renewals+3 })
	if len(told) > 0 {
		t.Errorf("told again: %v", <-told)
	}
	if err := second.Deregister(t.Context(), service); err != nil {
		t.Error(err)
	}
	s.owns("", "1")
}

// TestRecordsOfOthers has another tool's record of the same ID: the newest is shown, and each is left to its owner.
func TestRecordsOfOthers(t *testing.T) {
	s := serve(t)
	a := s.party()
	shown := func(want string) {
		t.Helper()
		listed, err := a.b.ListServices(t.Context(), &driver.ListServicesRequest{Name: "api"})
		if err != nil || len(listed.Instances) != 1 || listed.Instances[0].Owner != want {
			t.Errorf("%+v, %v", listed, err)
		}
	}
	if _, err := a.b.conn.Create("/reception", nil, 0, zk.WorldACL(zk.PermAll)); err != nil && !errors.Is(err, zk.ErrNodeExists) {
		t.Fatal(err)
	}
	for _, p := range []string{"/reception/services", "/reception/services/api", "/reception/services/api/1"} {
		if _, err := a.b.conn.Create(p, []byte(`{"address":"192.0.2.9"}`), 0, zk.WorldACL(zk.PermAll)); err != nil {
			t.Fatal(err)
		}
	}
	shown("")
	a.registers(of("a", "1", 1))
	shown("a")
	a.deregisters("a", "1", 1)
	shown("")
}

// TestNamesOfTheEmptied has nothing but nodes left in which there were instances.
func TestNamesOfTheEmptied(t *testing.T) {
	s := serve(t)
	a := s.party()
	a.registers(of("a", "1", 1))
	s.remove("/services/api/1,") // the holder stays
	listed, err := a.b.ListNames(t.Context(), &driver.ListNamesRequest{})
	if err != nil || len(listed.Names) > 0 {
		t.Errorf("%+v, %v", listed, err)
	}
}

// TestClosedSessionLeavesNothing has a session be closed with many registrations, of which one is somebody else's by now.
func TestClosedSessionLeavesNothing(t *testing.T) {
	s := serve(t)
	a, b := s.party(), s.party()
	for i := range 3 * removeAtOnce {
		a.registers(of("a", string(rune('A'+i)), 1))
	}
	b.registers(of("b", "A", 1))
	if _, err := a.b.CloseSession(t.Context(), &driver.CloseSessionRequest{Session: a.on}); err != nil {
		t.Fatal(err)
	}
	s.owns("b", "A")
	records, holders := s.names("/reception/services/api"), s.names("/reception/holders/api")
	if len(records) != 1 || len(holders) != 1 {
		t.Errorf("%q and %q are left", records, holders)
	}
}
