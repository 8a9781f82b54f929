package option

import (
	"errors"
	"testing"
	"time"
)

func TestProblems(t *testing.T) {
	var p Problems
	p.Positive("WithA", time.Millisecond)
	if err := errors.Join(p.Err(), p.Connected()); err != nil {
		t.Errorf("of nothing: %v", err)
	}
	cause := errors.New("WithC: is wrong")
	p.Positive("WithA", 0)
	p.Refuse("WithB(%d): is wrong, too", 1)
	p.Add(cause)
	if err := p.Err(); !errors.Is(err, cause) ||
		err.Error() != "WithA(0s): must be positive\nWithB(1): is wrong, too\nWithC: is wrong" {
		t.Errorf("got %v", err)
	}
	p.OfDial("WithD")
	p.OfDial("WithE")
	if err := p.Connected(); err == nil || err.Error() != "WithD, WithE: how to connect is said where the client is made" {
		t.Errorf("got %v", err)
	}
}

func TestForgottenUnit(t *testing.T) {
	var p Problems
	p.Positive("WithA", 15)
	const want = "WithA(15ns): must be at least 1ms; a number without a unit counts nanoseconds"
	if err := p.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
