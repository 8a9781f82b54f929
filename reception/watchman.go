package reception

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// events are told of what becomes of a renewal. Each may be nil; they are called one at a time and must not wait.
type events struct {
	near     func()            // the horizon is no further away than grace; once
	lapsed   func(cause error) // the horizon has passed, and the renewal is not final; the cause, if there is one
	relapsed func(cause error) // it was moved on by what was confirmed before that, and has passed again; maybe repeatedly
	regained func()            // the first confirmation after that has come
}

// run renews until ctx ends, whose cause it then returns, or an answer is lasting, or a final renewal lapses.
func (r *renewal) run(ctx context.Context, on events) error {
	ctx, cancel := context.WithCancel(ctx)
	w := &watchman{
		renewal: r, on: on, retry: r.retrier(),
		next:    time.NewTimer(r.start()),
		notice:  time.NewTimer(time.Until(r.horizon()) - r.grace),
		horizon: time.NewTimer(time.Until(r.horizon())),
		answers: make(chan answer, 1),
	}
	defer w.leave(cancel)
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-r.early:
			w.hurry()
		case <-w.next.C:
			w.ask(ctx)
		case answer := <-w.answers:
			err = w.answered(answer.err)
		case <-w.notice.C:
			w.noticed()
		case <-w.horizon.C:
			err = w.passed()
		}
		if err != nil {
			return err
		}
	}
}

// A watchman is one run of a renewal: it asks in time, and notices when nobody has answered.
type watchman struct {
	*renewal

	on      events
	retry   *backoff.ExponentialBackOff
	next    *time.Timer
	notice  *time.Timer // fires when the horizon is as near as grace
	horizon *time.Timer

	answers       chan answer // of the one question that may be out
	asking, again bool        // a question is out; another one is to follow at once
	near          bool        // notice was given
	lapsed        time.Time   // when the horizon was seen to have passed; zero if all is well
	failure       error       // of the last answer; nil if it was a confirmation
}

// An answer is what came of a question.
type answer struct{ err error }

// leave stops everything and waits for the answer to a question that is out.
func (w *watchman) leave(cancel context.CancelFunc) {
	cancel()
	w.next.Stop()
	w.notice.Stop()
	w.horizon.Stop()
	if w.asking {
		<-w.answers // there is nobody to tell
	}
}

// hurry has a question asked that is sent from now on. One that is out was sent before: its answer may be from before
// what there is to hurry for.
func (w *watchman) hurry() {
	if w.asking {
		w.again = true
	} else {
		w.next.Reset(0)
	}
}

// ask asks on a goroutine of its own, so that a request that hangs does not keep the horizon from being noticed.
func (w *watchman) ask(ctx context.Context) {
	w.asking = true
	go func() { w.answers <- answer{w.try(ctx)} }()
}

// answered takes an answer. It returns the error if that is lasting.
func (w *watchman) answered(err error) error {
	w.asking, w.failure = false, err
	switch {
	case lasting(err):
		return err
	case err == nil:
		w.confirmed()
	default:
		w.next.Reset(w.retry.NextBackOff())
	}
	if w.again {
		w.again = false
		w.next.Reset(0)
	}
	return nil
}

// confirmed sets the timers by the answer that has just been recorded.
func (w *watchman) confirmed() {
	w.retry.Reset()
	w.next.Reset(w.wait())
	w.notice.Reset(time.Until(w.renewal.horizon()) - w.grace)
	w.horizon.Reset(time.Until(w.renewal.horizon()))
	// What was confirmed before the lapse and settles only now is soon to lapse again, and no end of the trouble.
	if !w.lapsed.IsZero() && w.heldSince(w.lapsed) {
		w.lapsed = time.Time{}
		call(w.on.regained)
	}
}

// noticed looks whether the horizon is near, or has moved on since the timer was set.
func (w *watchman) noticed() {
	if w.grace > 0 && !w.near && time.Until(w.renewal.horizon()) <= w.grace {
		w.near = true
		call(w.on.near)
	}
}

// passed looks whether the horizon has passed, or has moved on since the timer was set. It returns an error if it has
// passed for good.
func (w *watchman) passed() error {
	if w.held() {
		return nil
	}
	if !w.lapsed.IsZero() {
		if w.on.relapsed != nil && w.renewal.horizon().After(w.lapsed) {
			w.on.relapsed(w.failure)
		}
		return nil
	}
	if w.final && w.failure != nil {
		return fmt.Errorf("%w: %w", errLapsed, w.failure)
	}
	if w.final {
		return errLapsed
	}
	w.lapsed = time.Now()
	if w.on.lapsed != nil {
		w.on.lapsed(w.failure)
	}
	return nil
}

// call calls f, if there is one.
func call(f func()) {
	if f != nil {
		f()
	}
}

// retrier returns the waits between failed attempts. They stay small beside the rhythm of successful ones, so that a
// session outlives an outage of half its time to live: a third of it may have passed since the last confirmation, and
// what is left after the outage is not to be slept through.
func (r *renewal) retrier() *backoff.ExponentialBackOff {
	b, pace := backoff.NewExponentialBackOff(), r.pace()
	b.InitialInterval, b.MaxInterval = max(pace/8, time.Millisecond), max(pace/4, time.Millisecond)
	b.Reset()
	return b
}
