package reception

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-reception/sdk/reception/driver"
)

// A term is a won election, for as long as the servers have confirmed it.
//
// It ends in one order only: first held turns false, then the context is done, then the backend is told. The
// interleaving that this forbids: the backend is told first, the next candidate leads, and this one's Held is still true.
type term struct {
	y       *candidacy
	token   uint64
	renewal *renewal
	context context.Context
	cancel  context.CancelCauseFunc
	// notice ends with context, and before it when the horizon is no further away than the grace that was asked for.
	notice context.Context
	warn   context.CancelCauseFunc
}

// errResigned is the cause of the end of a term that was given up.
var errResigned = fmt.Errorf("%w: resigned", ErrNotLeader)

// newTerm returns a term that is not confirmed yet. It keeps the values of ctx.
func newTerm(ctx context.Context, y *candidacy, token uint64) *term {
	t := &term{y: y, token: token, renewal: newTermRenewal(y.renewal, y.grace, y.verify(token))}
	t.context, t.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	t.notice, t.warn = context.WithCancelCause(t.context)
	return t
}

// Token implements [Term].
func (t *term) Token() uint64 { return t.token }

// Context implements [Term].
func (t *term) Context() context.Context { return t.context }

// Held implements [Term].
func (t *term) Held() bool { return t.renewal.held() }

// Verify implements [Term].
func (t *term) Verify(ctx context.Context) error {
	c := t.y.s.c
	return c.wrap("Verify", t.y.election, c.closing(t.verify(ctx)))
}

func (t *term) verify(ctx context.Context) error {
	if !t.Held() {
		return t.lost()
	}
	ctx, cancel, err := t.y.s.c.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	if _, err := t.renewal.ask(ctx); err != nil {
		if lasting(err) {
			t.lose(err)
		}
		return err
	}
	if !t.Held() { // it lapsed, or was resigned, while the question was out
		return t.lost()
	}
	return nil
}

// lost returns why the term is over.
func (t *term) lost() error {
	cause := context.Cause(t.context)
	if cause == nil {
		return errLapsed // not noticed by run yet
	}
	if errors.Is(cause, ErrNotLeader) {
		return cause
	}
	return fmt.Errorf("%w: %w", ErrNotLeader, cause)
}

// Resign implements [Term].
func (t *term) Resign(ctx context.Context) error {
	c := t.y.s.c
	return c.wrap("Resign", t.y.election, c.closing(t.resign(ctx)))
}

func (t *term) resign(ctx context.Context) error {
	if !t.renewal.stop() {
		return t.lost()
	}
	t.cancel(errResigned)
	if errors.Is(context.Cause(ctx), errResigned) { // it was made from the term's own, which has just ended
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), resignLimit)
		defer cancel()
		ctx = limited
	}
	ctx, cancel, err := t.y.s.c.begin(ctx)
	if err != nil {
		return err // run withdraws all the same
	}
	defer cancel()
	if err := t.y.withdrawal.wait(ctx); err != nil {
		return err
	}
	if t.y.absent {
		return fmt.Errorf("%w: the candidacy was removed behind this client's back", ErrNotLeader)
	}
	return nil
}

// end ends the term here, if it has not ended yet.
func (t *term) end(cause error) {
	t.renewal.stop()
	t.cancel(cause)
}

// lose ends the term because of what the backend has answered. Where that is ErrClosed somebody else has closed the
// connection: the Close of this client ends terms itself, and means to.
func (t *term) lose(cause error) {
	if errors.Is(cause, ErrClosed) && t.y.s.c.life.Err() == nil {
		cause = fmt.Errorf("%w: somebody has closed the connection to the backend", ErrNotLeader)
	}
	t.end(cause)
}

// run has the term renewed and watched until it ends, then sees to it that the backend knows.
func (t *term) run() {
	watching, cancel := context.WithCancel(t.context)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		t.watch(watching)
	}()
	t.lose(t.renewal.run(t.context, events{near: func() { t.warn(errNear) }}))
	cancel()
	<-watched
	cause := context.Cause(t.context)
	t.y.s.c.event(EventTermEnded, t.y.election, cause)
	t.y.s.endTerm(t)
	t.y.withdraw()
}

// watch has the term confirmed at once whenever the candidacy seems to have been removed. It does not judge: a watch may
// be behind, and the answer to a confirmation is what counts.
func (t *term) watch(ctx context.Context) {
	c := t.y.s.c
	retry := c.retrier()
	for ctx.Err() == nil {
		err := t.follow(ctx)
		if ctx.Err() == nil {
			c.retrying("watching the term in "+t.y.election, err)
			_ = pause(ctx, retry.NextBackOff()) // the loop's condition sees how it ended
		}
	}
}

// follow watches the candidacy until the stream breaks.
func (t *term) follow(ctx context.Context) error {
	stream, err := t.y.s.c.backend.OpenWatchCandidacy(ctx,
		&driver.WatchCandidacyRequest{Session: t.y.session, Election: t.y.election})
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		batch, err := stream.Next(ctx)
		if err != nil {
			return err
		}
		if last := len(batch.Changes) - 1; last < 0 && batch.Reset || last >= 0 && batch.Changes[last].Deleted {
			t.renewal.hurry()
		}
	}
}
