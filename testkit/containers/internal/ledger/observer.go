package ledger

import (
	"context"
	"fmt"
	"time"
)

// An observer reads a watch on a goroutine of its own, so that it notes when a state arrived whoever else is busy.
type observer struct {
	arrivals chan arrival
	failed   chan error
}

// An arrival is a state that has arrived.
type arrival struct {
	size int
	at   time.Time
}

// patience is how long an observer is waited for.
const patience = 2 * time.Minute

// observe starts to read a watch, until ctx ends. It has room for so many states that nobody has asked for yet.
func observe(ctx context.Context, w Watch, room int) *observer {
	o := &observer{arrivals: make(chan arrival, room), failed: make(chan error, 1)}
	go func() {
		for {
			size, err := w.Next(ctx)
			if err != nil {
				o.failed <- err
				return
			}
			select {
			case o.arrivals <- arrival{size, time.Now()}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return o
}

// await returns when a state of that size arrived, and how many states that took.
func (o *observer) await(size int) (at time.Time, states int, err error) {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	last := -1
	for {
		select {
		case a := <-o.arrivals:
			states++
			if last = a.size; a.size == size {
				return a.at, states, nil
			}
		case err := <-o.failed:
			return at, states, err
		case <-limit.C:
			return at, states, fmt.Errorf("no state with %d instances within %v; the last one had %d", size, patience, last)
		}
	}
}
