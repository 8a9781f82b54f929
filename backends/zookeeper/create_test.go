package zookeeper

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func session(t *testing.T, b *backend) driver.SessionID {
	t.Helper()
	opened, err := b.OpenSession(t.Context(), &driver.OpenSessionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return opened.Session
}

func instance(id string) driver.Instance {
	return driver.Instance{
		Service: driver.Service{Name: "api", ID: id, Address: "192.0.2.1"}, Owner: "me", Generation: 1,
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); !holds(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not within 20s: %s", what)
		}
	}
}

// once has the first write below a folder be treated in some way.
func once(folder string, action stubAction) (on func(op int32, path string) stubAction, happened *atomic.Bool) {
	happened = new(atomic.Bool)
	return func(op int32, path string) stubAction {
		if op == opMulti && strings.Contains(path, folder) && happened.CompareAndSwap(false, true) {
			return action
		}
		return answer
	}, happened
}

// TestH26ReplyToCreateIsLost: a registration and a candidacy are created, and the connection ends before anybody
// hears of it. There is one of each in the end, and no orphan.
func TestH26ReplyToCreateIsLost(t *testing.T) {
	for what, action := range map[string]stubAction{"the reply": loseReply, "the request": drop} {
		t.Run(what+" to a registration", func(t *testing.T) {
			s := serve(t)
			client := s.client()
			other, err := reception.MakeService("api", "192.0.2.1", 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Register(t.Context(), other, nil); err != nil {
				t.Fatal(err)
			}
			on, happened := once("/services/", action)
			s.act(on)
			service := &reception.Service{Name: "api", ID: "x", Address: "192.0.2.1"}
			for err := client.Register(t.Context(), service, nil); err != nil; err = client.Register(t.Context(), service, nil) {
				if !errors.Is(err, reception.ErrOutcomeUnknown) || !errors.Is(err, reception.ErrZkDisconnect) {
					t.Fatal(err)
				}
			}
			if !happened.Load() {
				t.Fatal("nothing was lost")
			}
			eventually(t, "there is one node", func() bool { return len(s.under("/reception/services/api", "x,")) == 1 })
			listed, err := client.ListServices(t.Context(), "api")
			if err != nil || len(listed) != 2 {
				t.Errorf("%v, %v", listed, err)
			}
			if err := client.Deregister(t.Context(), service); err != nil {
				t.Error(err)
			}
			if left := s.under("/reception/services/api", "x,"); len(left) > 0 {
				t.Errorf("%q are left", left)
			}
		})
		t.Run(what+" to a candidacy", func(t *testing.T) {
			s := serve(t)
			// A child of another tool, which the vendor's own way to find a node again would take apart.
			s.do(func() {
				for _, p := range []string{"/reception", "/reception/elections", "/reception/elections/e", "/reception/elections/e/_c_x"} {
					s.nodes[p] = &stubNode{}
				}
			})
			on, happened := once("/elections/", action)
			s.act(on)
			client := s.client()
			term, err := client.Campaign(t.Context(), "e", &reception.Service{Name: "e", ID: "1"})
			if err != nil {
				t.Fatal(err)
			}
			if names := s.under("/reception/elections/e", "-"); !happened.Load() || len(names) != 1 {
				t.Errorf("lost: %v, candidates: %q", happened.Load(), names)
			}
			if err := term.Resign(t.Context()); err != nil {
				t.Error(err)
			}
			eventually(t, "no candidate is left", func() bool { return len(s.under("/reception/elections/e", "-")) == 0 })
		})
	}
}

// TestNothingLandsOnAnEndedSession has a session end on the servers, or be closed, while a write waits to be sent.
func TestNothingLandsOnAnEndedSession(t *testing.T) {
	s := serve(t)
	b := s.backend()
	expired := session(t, b)
	s.expire()
	eventually(t, "there is another session", func() bool { state, _ := b.link.state(); return state.up && state.regains == 2 })
	closed := session(t, b)
	if _, err := b.CloseSession(t.Context(), &driver.CloseSessionRequest{Session: closed}); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []driver.SessionID{expired, closed, "nonsense", ""} {
		_, err := b.Register(t.Context(), &driver.RegisterRequest{Session: gone, Instance: instance("1")})
		if !errors.Is(err, driver.ErrSessionExpired) {
			t.Errorf("Register on %q: %v", gone, err)
		}
		_, err = b.Enqueue(t.Context(), &driver.EnqueueRequest{Session: gone, Election: "e"})
		if !errors.Is(err, driver.ErrSessionExpired) {
			t.Errorf("Enqueue on %q: %v", gone, err)
		}
		if _, err = b.RenewSession(t.Context(), &driver.RenewSessionRequest{Session: gone}); !errors.Is(err, driver.ErrSessionExpired) {
			t.Errorf("RenewSession of %q: %v", gone, err)
		}
	}
	if left := append(s.names("/reception/services/api"), s.names("/reception/elections/e")...); len(left) > 0 {
		t.Errorf("%q have landed", left)
	}
}

// TestTakeOversCross has two clients register the same instance so closely that neither sees the other's record before
// it writes. One record is left.
func TestTakeOversCross(t *testing.T) {
	s := serve(t)
	a, b := s.backend(), s.backend()
	for range 50 {
		done := make(chan error, 2)
		for _, each := range []*backend{a, b} {
			on := session(t, each)
			mine := instance("1")
			mine.Owner = string(on)
			go func() {
				_, err := each.Register(context.WithoutCancel(t.Context()), &driver.RegisterRequest{Session: on, Instance: mine})
				done <- err
			}()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "one node is left", func() bool { return len(s.names("/reception/services/api")) == 1 })
	}
}

// TestRestoreYields has somebody register the instance between the look and the write of one who restores it.
func TestRestoreYields(t *testing.T) {
	s := serve(t)
	a, b := s.backend(), s.backend()
	on, theirs := session(t, a), session(t, b)
	var crossed atomic.Bool
	s.act(func(op int32, path string) stubAction {
		if op == opMulti && strings.Contains(path, "/services/") && crossed.CompareAndSwap(false, true) {
			winner := instance("1")
			winner.Owner = "they"
			if _, err := b.Register(t.Context(), &driver.RegisterRequest{Session: theirs, Instance: winner}); err != nil {
				t.Error(err)
			}
		}
		return answer
	})
	_, err := a.Restore(t.Context(), &driver.RestoreRequest{Session: on, Instance: instance("1")})
	if !errors.Is(err, driver.ErrReplaced) {
		t.Errorf("Restore: %v", err)
	}
	listed, err := a.ListServices(t.Context(), &driver.ListServicesRequest{Name: "api"})
	if err != nil || len(listed.Instances) != 1 || listed.Instances[0].Owner != "they" {
		t.Errorf("%+v, %v", listed, err)
	}
	if left := s.names("/reception/services/api"); len(left) != 1 {
		t.Errorf("%q are left", left)
	}
}
