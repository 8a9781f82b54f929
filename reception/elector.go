package reception

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// resignLimit is how long those who cannot be told for how long to wait, wait for a resignation to be confirmed. The
// term has ended by then in any case; what is not confirmed goes on in the background.
const resignLimit = 5 * time.Second

// elector is the one Elector. It uses no more of its client than any user could, so that it works over a mock, too.
//
// mu is held for moments only, and not while the client is called, apart from Held, which waits for nothing.
type elector struct {
	client       Client
	log          Logger
	name         string
	candidate    Service
	onDisconnect func(error) // may be nil

	mu       sync.Mutex
	attempt  *attempt            // the Elect that is under way
	term     Term                // the one won last; nil once it has ended
	last     uint64              // its token, also after its end; 0 before the first
	watch    LeaderWatcher       // from the first Elect until Cancel
	states   <-chan *LeaderState // of watch; nil without one
	observed *Leader             // by the watch
}

// An attempt is one Elect that campaigns.
type attempt struct {
	ctx      context.Context // of its campaign
	cancel   context.CancelFunc
	canceled bool          // by Cancel; guarded by the elector's mu
	done     chan struct{} // closed when Elect is about to return
}

func newAttempt(ctx context.Context) *attempt {
	a := &attempt{done: make(chan struct{})}
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a
}

// NewElector returns an Elector for the election called name. It does nothing until Elect is called, which is also when
// a bad name or option is reported.
func NewElector(client Client, name string, options ...ElectorOption) Elector {
	e := &elector{
		client:    client,
		log:       loggerOf(client),
		name:      name,
		candidate: Service{ID: uuid.NewString(), Name: name},
	}
	for _, option := range options {
		option(e)
	}
	return e
}

// loggerOf returns the logger of a Client. One that is not ours has none that we know of.
func loggerOf(c Client) Logger {
	if own, ok := c.(*client); ok {
		return own.log
	}
	return NewSlogLogger(slog.Default())
}

// Elect implements [Elector].
func (e *elector) Elect(ctx context.Context) error {
	a, err := e.begin(ctx)
	if a == nil {
		return e.wrap(err)
	}
	defer e.leave(a)
	e.observe(a)
	candidate := e.candidate
	term, err := e.client.Campaign(a.ctx, e.name, &candidate)
	return e.wrap(e.finish(ctx, a, term, err))
}

// begin makes room for an attempt. It returns neither attempt nor error if the elector leads already.
//
// An attempt that was canceled and has not returned yet is waited for, so that Elect works right after Cancel.
func (e *elector) begin(ctx context.Context) (*attempt, error) {
	for {
		e.mu.Lock()
		before := e.attempt
		leads, busy := e.held() != nil, before != nil && !before.canceled
		if !leads && before == nil {
			e.attempt = newAttempt(ctx)
			a := e.attempt
			e.mu.Unlock()
			return a, nil
		}
		e.mu.Unlock()
		switch {
		case leads:
			return nil, nil
		case busy:
			return nil, ErrStarted
		}
		select {
		case <-before.done:
		case <-ctx.Done():
			return nil, canceled(ended(ctx))
		}
	}
}

// leave makes room for the next attempt. It is deferred, so that a client that panics does not block the elector.
func (e *elector) leave(a *attempt) {
	e.mu.Lock()
	e.attempt = nil
	e.mu.Unlock()
	a.cancel()
	close(a.done)
}

// finish makes what Campaign has returned to the attempt a the elector's state, and Elect's result.
//
// The interleaving that mu forbids: the campaign is won, and before the term is stored Cancel finds neither term nor
// anything left to cancel; the term is stored, and somebody leads who has been told not to. As it is, either Cancel
// finds the term, or this finds that a was canceled and gives the term up.
func (e *elector) finish(ctx context.Context, a *attempt, term Term, err error) error {
	e.mu.Lock()
	won := err == nil && !a.canceled
	if won {
		e.term, e.last = term, term.Token()
	}
	givenUp := a.canceled
	e.mu.Unlock()
	switch {
	case won:
		// Costs a goroutine only when the term ends, and at once if it has ended by now.
		context.AfterFunc(term.Context(), func() { e.ended(term) })
		return nil
	case err == nil:
		resign(term)
		return ErrElectionCanceled
	case ctx.Err() == nil && givenUp:
		return ErrElectionCanceled
	case ctx.Err() != nil && errors.Is(err, ctx.Err()) && !errors.Is(err, ErrElectionCanceled):
		return canceled(err)
	}
	return err
}

// ended follows the end of a term: it was lost, unless it was given up.
func (e *elector) ended(term Term) {
	e.mu.Lock()
	kept := e.term == term
	if kept {
		e.term = nil
	}
	e.mu.Unlock()
	if cause := lossOf(term); kept && cause != nil && !errors.Is(cause, ErrClosed) && e.onDisconnect != nil {
		safely(e.log, "the disconnection callback of elector "+e.name, func() { e.onDisconnect(e.wrap(cause)) })
	}
}

// Cancel implements [Elector]. It may be called by the disconnection callback, or by anything else that runs on the
// elector's behalf: it waits for nothing but the backend, and for that no longer than resignLimit.
func (e *elector) Cancel() {
	e.mu.Lock()
	a, term, watch := e.attempt, e.term, e.watch
	e.term, e.watch, e.states, e.observed = nil, nil, nil, nil
	if a != nil {
		a.canceled = true
	}
	e.mu.Unlock()
	if a != nil {
		a.cancel()
	}
	if watch != nil {
		watch.Stop()
	}
	if term != nil {
		resign(term)
	}
}

// observe starts the leader watch of the attempt a, if there is none.
//
// The interleaving that mu forbids: Cancel stops the watch that it finds, which is none yet, and the one that is stored
// after it goes on for ever.
func (e *elector) observe(a *attempt) {
	e.mu.Lock()
	watched := e.watch != nil
	e.mu.Unlock()
	if watched {
		return // only an attempt starts a watch, and there is one at a time
	}
	watch := e.client.NewLeaderWatcher(e.name)
	states, err := watch.Start(context.Background()) // it outlives this Elect
	e.mu.Lock()
	unwanted := err != nil || a.canceled
	if !unwanted {
		e.watch, e.states = watch, states
	}
	e.mu.Unlock()
	if unwanted {
		watch.Stop() // Campaign is going to say what is wrong
	}
}

// Leader implements [Elector].
func (e *elector) Leader() *Service {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held() != nil {
		return copyService(&e.candidate)
	}
	e.catchUp()
	if e.observed == nil || e.last != 0 && e.observed.Token == e.last {
		return nil // nobody, or a term of ours that is over, whatever the watch has heard
	}
	return copyService(e.observed.Service)
}

// catchUp takes what the watch has delivered since the last call: its channel holds the latest state, so that nobody
// has to read it in between. It is called with mu held.
func (e *elector) catchUp() {
	for {
		select {
		case state, open := <-e.states:
			if !open {
				e.states, e.observed = nil, nil // the client was closed
				return
			}
			e.observed = state.Leader
		default:
			return
		}
	}
}

// IsLeader implements [Elector].
func (e *elector) IsLeader() bool { return e.Term() != nil }

// Term implements [Elector].
func (e *elector) Term() Term {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.held()
}

// held returns the term if it can be vouched for. It is called with mu held.
func (e *elector) held() Term {
	if e.term != nil && e.term.Held() {
		return e.term
	}
	return nil
}

// wrap says whose error it is.
func (e *elector) wrap(err error) error { return attribute("Elect", e.name, err) }

// attribute says which function of the package an error comes from, unless a client has said so.
func attribute(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if _, wrapped := errors.AsType[*Error](err); wrapped {
		return err
	}
	return fmt.Errorf("reception: %s %s: %w", op, name, err)
}

// resign gives term up. What fails goes on in the background or ends with the session, so there is nobody to tell.
func resign(term Term) {
	ctx, cancel := context.WithTimeout(context.Background(), resignLimit)
	defer cancel()
	_ = term.Resign(ctx)
}

// lossOf returns why term was lost; nil if it lives or was resigned.
func lossOf(term Term) error {
	if cause := context.Cause(term.Context()); !errors.Is(cause, errResigned) {
		return cause
	}
	return nil
}
