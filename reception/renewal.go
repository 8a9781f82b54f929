package reception

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A renewal keeps one session alive and knows until when that is certain: the horizon. It is the only place in the SDK
// that calculates with the servers' time limits, for the session of the registrations, for waiting candidates and for
// terms alike.
//
// The horizon is counted from the moment at which a request was sent that the backend has confirmed, by this process's
// monotonic clock, less a margin for clocks that differ in rate. The interleaving that this forbids: a request is sent
// at 0 s, the server counts its 3 s from there, the reply crawls in at 1 s; counted from the reply, the holder believes
// until 4 s in what another one may have had from 3 s on.
//
// Where a confirmation needs to settle (the server that gives it passes it on only every so often), it counts when
// another one is confirmed that was sent at least settle after its answer, which shows that the earlier one has been
// passed on. The interleaving that this forbids: two requests are sent settle apart, the first is held up on its way and
// both arrive together; counted from their sendings, the first has been passed on, and it has not.
type renewal struct {
	ask    func(context.Context) (goodFor time.Duration, err error)
	ttl    time.Duration // of the session
	every  time.Duration // how often to ask, as long as an answer is good for ttl; see pace
	settle time.Duration
	// final makes the first lapse the last: once the horizon has passed, no confirmation is accepted any more. A term
	// wants that, because another one may have led in between: the interleaving that it forbids is a reply that arrives
	// after Held was seen to be false and makes it true again.
	final bool
	// grace is how long before the horizon to tell of it, as long as it is not moved on; 0 for not at all.
	grace time.Duration
	// witness, which may be nil, knows of a moment that a confirmation makes count at once.
	witness driver.Witness
	// early has one slot: somebody wants the next question asked now.
	early chan struct{}

	mu        sync.Mutex
	goodFor   time.Duration  // as last confirmed
	until     time.Time      // the horizon; zero before the first confirmation has settled
	counted   time.Time      // what the horizon is counted from, such as when a request was sent
	settled   bool           // the horizon is not that of the opening, which is older than it looks
	unsettled []confirmation // oldest first
	over      bool           // final and lapsed, or ended
}

// A confirmation is a request that the backend has confirmed.
type confirmation struct {
	sent, answered time.Time
	goodFor        time.Duration
}

// marginOf returns how much of goodFor is given away for clocks that run at different rates, and for what passes between a
// decision and its effect: a tenth, and at least 100 ms where goodFor is not itself of that size.
func marginOf(goodFor time.Duration) time.Duration {
	return max(goodFor/10, min(100*time.Millisecond, goodFor/3))
}

// newRenewal returns a renewal of the session that was opened by a request sent at sent.
func newRenewal(sent time.Time, opened *driver.OpenSessionResponse, ask func(context.Context) (time.Duration, error)) *renewal {
	r := &renewal{
		ask: ask, ttl: opened.TTL, every: opened.RenewEvery, settle: opened.Settle, goodFor: opened.TTL,
		early: make(chan struct{}, 1),
	}
	if r.every <= 0 || r.every > opened.TTL/2 { // an adapter's mistake that would cost a storm of requests, or the session
		r.every = max(opened.TTL/3, time.Millisecond)
	}
	// Opening a session is an act of the servers that decide about it, so it needs no time to settle.
	r.extend(confirmation{sent: sent, goodFor: opened.TTL})
	r.settled = false
	return r
}

// certain returns until when the session is certain because of what has settled; false if nothing has.
func (r *renewal) certain() (until time.Time, goodFor time.Duration, is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.until, r.goodFor, r.settled
}

// standOn has a term's renewal, once the term was confirmed, count on what is certain about its session, if that is
// enough for the confirmation to settle meanwhile. A term that was found to stand does so for as long as the session
// that it lives on; so who has waited in the queue, and renewed its session there, need not wait again when its turn has
// come. It is not for a term that ends before its session.
func (r *renewal) standOn(session *renewal) {
	until, goodFor, settled := session.certain()
	r.mu.Lock()
	defer r.mu.Unlock()
	confirmed := len(r.unsettled) > 0 && r.unsettled[0].goodFor >= goodFor
	if !settled || !confirmed || time.Until(until) < r.settle+r.paceHeld()+r.grace {
		return
	}
	if until.After(r.until) {
		r.until, r.counted = until, r.unsettled[0].sent
	}
}

// newTermRenewal returns a final renewal with the rhythm of r, which keeps the same session with another question and
// knows no horizon yet: that the session was alive says nothing about the term.
func newTermRenewal(r *renewal, grace time.Duration, ask func(context.Context) (time.Duration, error)) *renewal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &renewal{
		ask: ask, ttl: r.ttl, every: r.every, settle: r.settle, grace: grace, goodFor: r.goodFor,
		early: make(chan struct{}, 1), final: true,
	}
}

// confirm records that a request sent at sent was confirmed to be good for goodFor. It reports whether it counted.
func (r *renewal) confirm(sent time.Time, goodFor time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.hasLapsed(now) && r.final {
		r.over = true
	}
	if r.over {
		return false
	}
	r.goodFor = goodFor
	c := confirmation{sent: sent, answered: now, goodFor: goodFor}
	if r.settle == 0 {
		r.extend(c)
		return true
	}
	for len(r.unsettled) > 0 && !sent.Before(r.unsettled[0].answered.Add(r.settle)) {
		r.extend(r.unsettled[0])
		r.unsettled = r.unsettled[1:]
	}
	// Those that come thick and fast are thinned: an eighth of settle apart they bound the list, and cost the horizon no
	// more than that.
	if last := len(r.unsettled) - 1; last < 0 || sent.Sub(r.unsettled[last].sent) >= r.settle/8 {
		r.unsettled = append(r.unsettled, c)
	}
	return true
}

// extend moves the horizon to where c puts it, never back. It is called with mu held.
func (r *renewal) extend(c confirmation) {
	if until := c.sent.Add(c.goodFor - marginOf(c.goodFor)); until.After(r.until) {
		r.until, r.counted, r.settled = until, c.sent, true
	}
}

// attest moves the horizon to where a moment puts it of which the witness knew before a confirmed request was sent. That
// needs no time to settle: so who campaigns right after it has connected need not wait for that, see standOn. Terms
// themselves begin and lapse by confirmations alone.
func (r *renewal) attest(heard time.Time, goodFor time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !heard.IsZero() && !r.final {
		r.extend(confirmation{sent: heard, goodFor: goodFor})
	}
}

// hasLapsed says whether there was a horizon and it has passed. It is called with mu held.
func (r *renewal) hasLapsed(now time.Time) bool { return !r.until.IsZero() && !now.Before(r.until) }

// held says whether the session is certain now.
func (r *renewal) held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heldAt(time.Now())
}

// heldSince says whether the session is certain now because of a request sent at t or later.
func (r *renewal) heldSince(t time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heldAt(time.Now()) && !r.counted.Before(t)
}

// heldAt says whether the session is certain at now. It is called with mu held.
func (r *renewal) heldAt(now time.Time) bool {
	r.over = r.over || r.final && r.hasLapsed(now)
	return !r.over && now.Before(r.until)
}

// stop makes held false for good. It reports whether it was true until then.
func (r *renewal) stop() (wasHeld bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wasHeld = r.heldAt(time.Now())
	r.over = true
	return wasHeld
}

// wait returns how long to wait after a confirmation before the next question. That is the rhythm, unless the horizon is
// near and a confirmation settles before that: after an outage, or at the beginning of a term.
func (r *renewal) wait() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	pace := r.paceHeld()
	if len(r.unsettled) == 0 || time.Until(r.until) > pace+r.settle {
		return pace
	}
	return min(pace, max(0, time.Until(r.unsettled[0].answered.Add(r.settle))))
}

// start returns how long to wait before the first question: none where confirmations need to settle, because until one
// has, no more is certain than when the session was opened.
func (r *renewal) start() time.Duration {
	if r.settle > 0 && !r.final {
		return 0
	}
	return r.pace()
}

// pace returns how often to ask: as the backend wants it, and in proportion more often where its answers are good for
// less than the session's time to live, as they are where a term is backed by something shorter than that. With grace it
// is more often still, because by that much less is left to be asked in.
func (r *renewal) pace() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.paceHeld()
}

// paceHeld is pace for those who hold mu.
func (r *renewal) paceHeld() time.Duration {
	pace := r.every
	if 0 < r.goodFor && r.goodFor < r.ttl {
		pace = time.Duration(float64(pace) * float64(r.goodFor) / float64(r.ttl))
	}
	if r.grace > 0 {
		pace = min(pace, r.room()/3)
	}
	return max(pace, time.Millisecond)
}

// afterlife returns how long the servers may keep the session, at the most, if nobody renews it any more: they may be as
// late again as its time to live, and longer after a change of their leader.
func (r *renewal) afterlife() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return 4 * r.goodFor
}

// horizon returns until when the session is certain; zero before that is known at all.
func (r *renewal) horizon() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.until
}

// patience is how long one attempt may take. It is short enough to leave room for another one before the horizon,
// because a connection that swallows requests answers none of them.
func (r *renewal) patience() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(r.paceHeld(), (r.goodFor-r.grace)/4)
}

// try asks once and records the outcome.
func (r *renewal) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.patience())
	defer cancel()
	var heard time.Time
	if r.witness != nil {
		heard = r.witness.Heard().Time()
	}
	sent := time.Now()
	goodFor, err := r.ask(ctx)
	if err != nil {
		return err
	}
	if !r.confirm(sent, goodFor) {
		return errLapsed
	}
	r.attest(heard, goodFor)
	return nil
}

// errLapsed is why a term ends that nobody has confirmed in time.
var errLapsed = fmt.Errorf("%w: not confirmed by the servers in time", ErrNotLeader)

// lasting says whether err ends a session or a term for good, rather than being trouble on the way to it.
func lasting(err error) bool {
	return errors.Is(err, ErrSessionExpired) || errors.Is(err, ErrNotLeader) || errors.Is(err, ErrClosed)
}

// hurry has run ask now rather than at the next turn.
func (r *renewal) hurry() { signal(r.early) }
