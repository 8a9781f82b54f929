package chaostest

import (
	"sync"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// bounds are what is certain about the terms of a process because of what its client asks the servers and hears from
// them. All of it is noted on the way, before the client or the servers hear of it, so that it does not depend on when a
// busy machine gets around to running a callback.
type bounds struct {
	margin time.Duration // what a client gives away of how long a confirmation is good

	mu sync.Mutex
	// horizon is when the last term has ended at the latest: it counts on nothing but confirmations, each from its sending.
	horizon time.Time
	// withdrawn is when the process has first withdrawn a candidacy. It ends a term before it does so.
	withdrawn time.Time
	// rival is the term that has to be over before one of this process begins; nil for none.
	rival reception.Term
	// begun is when the servers' confirmation of a term after the rival's was at hand, of which the client did not know yet.
	begun time.Time
	early bool // the rival's term was held at that moment
}

// succeed has the process's next term be one that follows another one.
func (b *bounds) succeed(rival reception.Term) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rival, b.begun, b.early = rival, time.Time{}, false
}

// successor returns when the term that follows the rival's has begun at the earliest, and whether that was too early.
func (b *bounds) successor() (begun time.Time, early bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun, b.early
}

// ended returns when the process's term was over at the latest, if it was seen to be over at seen.
func (b *bounds) ended(seen time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, bound := range []time.Time{b.horizon, b.withdrawn} {
		if !bound.IsZero() && bound.Before(seen) {
			seen = bound
		}
	}
	return seen
}

// asked notes a request that is about to be sent.
func (b *bounds) asked(call driver.Call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if call.Operation == driver.OpWithdraw && b.withdrawn.IsZero() {
		b.withdrawn = time.Now()
	}
}

// answered notes what was answered to a request that was sent at sent.
func (b *bounds) answered(call driver.Call, sent time.Time, result any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch answer := result.(type) {
	case *driver.RenewSessionResponse: // what a term may count on at its beginning
		b.extend(sent.Add(answer.GoodFor))
	case *driver.ConfirmResponse:
		b.extend(sent.Add(answer.GoodFor))
		request, is := call.Request.(*driver.ConfirmRequest)
		if is && b.rival != nil && b.begun.IsZero() && request.Token > b.rival.Token() {
			b.begun, b.early = time.Now(), b.rival.Held()
		}
	}
}

// extend is called with mu held.
func (b *bounds) extend(until time.Time) {
	if until = until.Add(-b.margin); until.After(b.horizon) {
		b.horizon = until
	}
}
