package zookeeper

import (
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// TestFirstTermRightAfterConnecting has a client campaign that has just connected. It leads at once, and not when its
// renewals have settled: the servers' leader has heard of it when it has connected.
func TestFirstTermRightAfterConnecting(t *testing.T) {
	s := serve(t)
	s.timeout = 10 * time.Minute
	term, err := s.client().Campaign(t.Context(), "e", &reception.Service{Name: "e", ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if !term.Held() {
		t.Error("the term is not held")
	}
	if err := term.Resign(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHeard has a connection be lost and come back. What counts is a moment before the servers were asked for the session
// the last time.
func TestHeard(t *testing.T) {
	s := serve(t)
	for range 3 {
		before := driver.Now().Time()
		b := s.backend()
		after := driver.Now().Time()
		first := b.Heard().Time()
		if first.Before(before) || first.After(after) {
			t.Errorf("heard at %v, connected between %v and %v", first, before, after)
		}
		lost := driver.Now().Time()
		s.cut()
		eventually(t, "it is connected again", func() bool {
			state, _ := b.link.state()
			return state.up && state.regains == 2
		})
		if again := b.Heard().Time(); again.Before(lost) || again.After(driver.Now().Time()) {
			t.Errorf("heard at %v, connected again between %v and now", again, lost)
		}
	}
}
