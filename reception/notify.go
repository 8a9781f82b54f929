package reception

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// A notifier tells one registration's owner of its outages: once each, in order, on a goroutine of its own that exists
// only while the owner's callback runs. A callback that blocks holds up nobody else, and what happens meanwhile is
// conflated to what the owner still has to know, so that nothing piles up.
type notifier struct {
	c    *client
	name string
	call func(error) // nil: nobody wants to know

	mu      sync.Mutex
	outage  error  // the kind of what was last told of the present outage; nil when all is well
	pending []news // told to nobody yet: each of the three kinds at most once
	running bool
	ended   bool // nothing is told any more
}

// news is what an owner is told: what has happened, and why as far as that is known.
type news struct{ kind, cause error }

// err is the news as the callback gets it.
func (n news) err() error {
	switch {
	case n.cause == nil:
		return n.kind
	case errors.Is(n.cause, n.kind):
		return n.cause
	default:
		return fmt.Errorf("%w: %w", n.kind, n.cause)
	}
}

// disconnected tells that readers may lose the record, once an outage.
func (n *notifier) disconnected(cause error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.outage == nil {
		n.tell(ErrDisconnected, cause)
	}
}

// expired tells that the record is gone, once an outage.
func (n *notifier) expired(cause error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !errors.Is(n.outage, ErrSessionExpired) {
		n.tell(ErrSessionExpired, cause)
	}
}

// regained ends an outage in which the session was only in question.
func (n *notifier) regained() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if errors.Is(n.outage, ErrDisconnected) {
		n.outage = nil
	}
}

// restored ends an outage: the record is known to be there. Unless held it is there on a session that is in question in
// its turn, which is told if the outage was about more than that.
func (n *notifier) restored(held bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if held {
		n.outage = nil
	} else if !errors.Is(n.outage, ErrDisconnected) {
		n.tell(ErrDisconnected, nil)
	}
}

// replaced tells that another client's record stands, and nothing after that.
func (n *notifier) replaced() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tell(ErrReplaced, nil)
	n.ended = true
}

// follow takes over that the session is in question, from the notifier of a registration that this one has updated. That
// its record was gone is over: the update has stored it.
func (n *notifier) follow(before *notifier) {
	before.mu.Lock()
	outage := before.outage
	before.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if errors.Is(outage, ErrDisconnected) {
		n.outage = outage
	}
}

// end drops what was not told yet.
func (n *notifier) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
	n.pending = nil
}

// tell queues news, in the place of earlier ones of their kind: the last word is that of the last outage. It is called
// with mu held.
func (n *notifier) tell(kind, cause error) {
	n.outage = kind
	if n.ended || n.call == nil {
		return
	}
	n.pending = slices.DeleteFunc(n.pending, func(waiting news) bool { return errors.Is(waiting.kind, kind) })
	n.pending = append(n.pending, news{kind, cause})
	n.wake()
}

// wake starts the goroutine that tells, unless it runs. It is called with mu held.
func (n *notifier) wake() {
	if !n.running && len(n.pending) > 0 {
		n.running = true
		go n.run() // not joined by Close, which the callback may be calling
	}
}

// run calls the callback until there is nothing left to tell. A callback that ends its goroutine, as the FailNow of a test
// does, ends this one, and what is left is told on another.
func (n *notifier) run() {
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.running = false
		n.wake()
	}()
	for {
		err := n.next()
		if err == nil {
			return
		}
		n.c.safely("onDisconnect of "+n.name, func() { n.call(n.c.wrap("Register", n.name, err)) })
	}
}

// next takes what is to be told next; nil if that is nothing.
func (n *notifier) next() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.pending) == 0 {
		return nil
	}
	err := n.pending[0].err()
	n.pending = n.pending[1:]
	return err
}
