package reception

import (
	"context"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// An Observer sees what a Client does, for metrics and traces. Its methods are called on the Client's goroutines: they
// must return at once and be safe for concurrent use.
type Observer interface {
	// Call is called before each call to the backend, each step of a stream included. The context that it returns goes
	// with the call, so that it can carry a span; done, if it is not nil, is called with the call's outcome.
	Call(ctx context.Context, call driver.Call) (callCtx context.Context, done func(error))
	// Event is called after something has happened to what the Client looks after.
	Event(event Event)
}

// An Event is something that happened to what a Client looks after.
type Event struct {
	Kind EventKind
	Name string    // the service as Name/ID, the election, the session's ID, or "registrations" for all of them
	Err  error     // why, where there is a reason
	Time time.Time // when
}

// An EventKind says what happened.
type EventKind string

// What can happen.
const (
	EventSessionOpened EventKind = "session opened" // the session of the registrations
	EventSessionLapsed EventKind = "session lapsed" // its horizon passed without a confirmation
	EventSessionKept   EventKind = "session kept"   // it was confirmed again after that
	EventSessionLost   EventKind = "session lost"   // the backend has dropped it
	EventRegistered    EventKind = "registered"     // a record was stored by Register
	EventRestored      EventKind = "restored"       // a record that was lost, or whose update failed, was stored again
	EventReplaced      EventKind = "replaced"       // another client took a record over
	EventDeregistered  EventKind = "deregistered"   // a record of this client was removed, also one that a failed Register left
	EventTermBegun     EventKind = "term begun"     // an election was won
	EventTermEnded     EventKind = "term ended"     // a term was resigned or lost
	EventWatchBroken   EventKind = "watch broken"   // a watch lost its stream and is being resumed
	EventWatchResumed  EventKind = "watch resumed"  // it is up to date again
)

// observe makes an interceptor of an observer.
func observe(o Observer) driver.Interceptor {
	return func(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
		ctx, done := o.Call(ctx, call)
		result, err := invoke(ctx)
		if done != nil {
			done(err)
		}
		return result, err
	}
}

// event tells the observer and the log.
func (c *client) event(kind EventKind, name string, err error) {
	if err != nil {
		c.log.Printf("reception: %s on %s: %s: %v", name, c.backend.Name(), kind, err)
	} else {
		c.log.Printf("reception: %s on %s: %s", name, c.backend.Name(), kind)
	}
	if c.options.observer != nil {
		c.options.observer.Event(Event{Kind: kind, Name: name, Err: err, Time: time.Now()})
	}
}
