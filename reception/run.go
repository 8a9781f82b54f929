package reception

import (
	"context"
	"errors"
	"fmt"
)

// RunWhileLeader campaigns in election, runs run while candidate leads, and gives up the lead when run has returned,
// not before: nobody else leads while run is at work, as long as run heeds its context. That ends with ctx and with the
// term, whose cause [context.Cause] tells, and it carries the values of ctx.
//
// Giving up the lead waits for the backend to confirm it, but for no longer than five seconds when that is cut off: the
// term has ended by then in any case, and what is left of it goes on in the background.
//
// It covers one term and returns the error of run. Where run has none of its own, returning nil or the error of its
// context, and the term was lost, the result says why it was. A run that panics gives up the lead, too.
func RunWhileLeader(
	ctx context.Context, client Client, election string, candidate *Service,
	run func(ctx context.Context, term Term) error,
) error {
	term, err := client.Campaign(ctx, election, candidate)
	if err != nil {
		return err
	}
	return whileCertain(ctx, term.Context(), "RunWhileLeader", election, term, run)
}

// whileCertain runs run until ctx ends or certain does, a context of the term's, and then gives up the lead.
func whileCertain(
	ctx, certain context.Context, op, election string, term Term,
	run func(ctx context.Context, term Term) error,
) error {
	// Deferred, so that it happens after a panic, which then goes on, and after runtime.Goexit. It is not bounded by
	// ctx, which may be what has ended run.
	defer resign(term)
	// Made from a context of the term's, so that what ends that one ends this one in the same call, with no goroutine in
	// between.
	running, cancel := context.WithCancelCause(certain)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(ended(ctx)) })()
	err := run(running, term)
	return outcome(running, op, election, err, lossOf(certain))
}

// outcome is what op returns for the error of run and the reason why the term was lost, if it was.
func outcome(running context.Context, op, election string, err, loss error) error {
	switch {
	case loss == nil:
		return err
	case err == nil:
		return attribute(op, election, loss)
	case errors.Is(context.Cause(running), loss) && errors.Is(err, running.Err()):
		return attribute(op, election, fmt.Errorf("%w: %w", loss, err))
	}
	return err
}
