package reception_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/reception"
)

// TestElectorWatches checks how long the leader watch goes on: until Cancel, but no longer than an Elect that has started
// it in vain.
func TestElectorWatches(t *testing.T) {
	watcher := &stubWatcher{states: make(chan *reception.LeaderState)}
	watcher.starting = func() { watcher.starts++; watcher.stopped = false }
	client := &scripted{watcher: watcher}
	e := reception.NewElector(client, "reaper")
	wins := func(context.Context) (reception.Term, error) { return newStubTerm(1), nil }
	fails := func(context.Context) (reception.Term, error) { return nil, errors.New("odd") }
	panics := func(context.Context) (reception.Term, error) { panic("odd") }
	steps := []struct {
		name    string
		elect   func(context.Context) (reception.Term, error)
		starts  int
		stopped bool
	}{
		{"the first Elect fails", fails, 1, true},
		{"the second one panics", panics, 2, true},
		{"the third one wins", wins, 3, false},
		{"the next one fails", fails, 3, false}, // the watch is not its own
	}
	for _, step := range steps {
		client.campaign = step.elect
		func() {
			defer func() { _ = recover() }()
			_ = e.Elect(t.Context())
		}()
		if term, won := e.Term().(*stubTerm); won {
			term.lapse()
		}
		if watcher.starts != step.starts || watcher.stopped != step.stopped {
			t.Errorf("%s: %d leader watches started, want %d; the last one stopped: %t, want %t",
				step.name, watcher.starts, step.starts, watcher.stopped, step.stopped)
		}
	}
	if e.Cancel(); !watcher.stopped {
		t.Error("the leader watch goes on after Cancel")
	}
}

// TestElectorKnowsTheLeaderAfterAWipe checks that an elector does not take a leader for itself who has the token that was
// its own before the cluster counted from one again.
func TestElectorKnowsTheLeaderAfterAWipe(t *testing.T) {
	bubble(t, func(s *scene) {
		e := reception.NewElector(s.client, "reaper")
		elect(s.T, e)
		before := e.Term().Token()
		s.Wipe()
		synctest.Wait()
		if e.Leader() != nil {
			s.Errorf("knows of leader %+v in an empty cluster", e.Leader())
		}
		term, err := s.other.Campaign(s.Context(), "reaper", api("b", 2))
		if err != nil {
			s.Fatal(err)
		}
		if term.Token() != before {
			s.Fatalf("the terms have tokens %d and %d: this checks nothing", before, term.Token())
		}
		time.Sleep(time.Minute)
		if leader := e.Leader(); leader == nil || leader.ID != "b" {
			s.Errorf("knows of leader %+v, want b", leader)
		}
		e.Cancel()
	})
}

// TestElectorsThatFailedLeaveNothing checks that an elector whose Elect has failed need not be canceled.
func TestElectorsThatFailedLeaveNothing(t *testing.T) {
	for _, id := range []string{"e", "a bad ID"} {
		t.Run(id, func(t *testing.T) {
			bubble(t, func(s *scene) {
				fail := func(election string) {
					e := reception.NewElector(s.client, election, reception.WithServiceID(id))
					ctx, cancel := context.WithTimeout(s.Context(), time.Second)
					defer cancel()
					if err := e.Elect(ctx); err == nil {
						s.Fatal("Elect did not fail")
					}
					if e.Leader() != nil {
						s.Errorf("knows of leader %+v without a watch", e.Leader())
					}
				}
				const n = 20
				for i := range n {
					if _, err := s.other.Campaign(s.Context(), fmt.Sprint("reaper-", i), api("leader", 1)); err != nil {
						s.Fatal(err)
					}
				}
				fail("reaper-0")
				time.Sleep(time.Hour)
				synctest.Wait()
				before := runtime.NumGoroutine()
				for i := range n {
					fail(fmt.Sprint("reaper-", i))
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if after := runtime.NumGoroutine(); after >= before+n {
					s.Errorf("%d goroutines after %d electors, %d before", after, n, before)
				}
			})
		})
	}
}
