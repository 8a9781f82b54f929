package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// rung says whether a bell has rung, as its waiters see it.
func rung(b *bell) bool {
	select {
	case <-b.ready:
		return true
	default:
		return false
	}
}

// Whatever the order in which waiters come, wake and give up: ringing costs the ringer one bell, it wakes all who wait
// and nobody who comes later, and nothing is left behind.
func TestChime(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		var c chime
		var waiting []*bell // at the chime
		var called []*bell  // since the chime has rung
		giveUp := func(list *[]*bell) {
			if n := len(*list); n > 0 {
				i := rnd.IntN(n)
				(*list)[i].leave()
				(*list)[i] = (*list)[n-1]
				*list = (*list)[:n-1]
			}
		}
		for range 2000 {
			switch rnd.IntN(20) {
			default:
				waiting = append(waiting, c.join())
			case 0, 1, 2, 3, 4, 5, 6:
				giveUp(&waiting)
			case 7, 8:
				giveUp(&called) // woken or not
			case 9:
				c.ring()
				called = append(called, waiting...)
				waiting = nil
				if rnd.IntN(2) == 0 {
					wakeAll(t, called)
					called = nil
				}
			}
			for _, b := range waiting {
				if rung(b) {
					t.Fatalf("seed %d: woken too early", seed)
				}
			}
		}
		wakeAll(t, called)
		for len(waiting) > 0 {
			giveUp(&waiting)
		}
		if c.bells != nil && (c.bells.first != nil || c.bells.last != nil) {
			t.Fatalf("seed %d: bells are left", seed)
		}
	}
}

// Those who wait for a while only, again and again, leave no bells behind, wherever in the row they stand.
func TestImpatientWaitersLeaveNoBells(t *testing.T) {
	for _, emptied := range [][]int{{0}, {1}, {2}, {0, 1}, {1, 2}, {2, 1}, {0, 2}} {
		var c chime
		var bells [3][]*bell
		for i := range bells {
			for range perBell {
				bells[i] = append(bells[i], c.join())
			}
		}
		for _, i := range emptied {
			for _, b := range bells[i] {
				b.leave()
			}
			bells[i] = nil
		}
		n := 0
		for b := c.bells.first; b != nil; b = b.next {
			n++
		}
		if n != len(bells)-len(emptied) {
			t.Errorf("emptied %v: %d bells are left", emptied, n)
		}
		late := c.join()
		c.ring()
		wakeAll(t, append(slices.Concat(bells[:]...), late))
	}
}

// wakeAll lets those who were called leave as they wake.
func wakeAll(t *testing.T, called []*bell) {
	t.Helper()
	for len(called) > 0 {
		var asleep []*bell
		for _, b := range called {
			if rung(b) {
				b.leave()
			} else {
				asleep = append(asleep, b)
			}
		}
		if len(asleep) == len(called) {
			t.Fatalf("%d are never woken", len(asleep))
		}
		called = asleep
	}
}

// The ringer wakes the first few, whatever their number.
func TestRingingCostsOneBell(t *testing.T) {
	var c chime
	var bells []*bell
	for range 10 * perBell {
		bells = append(bells, c.join())
	}
	c.ring()
	n := 0
	for _, b := range bells {
		if rung(b) {
			n++
		}
	}
	if n != perBell {
		t.Errorf("the ringer has woken %d, want %d", n, perBell)
	}
	wakeAll(t, bells)
}
