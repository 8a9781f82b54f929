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
	bid      *bid                // the Elect that is under way
	tenure   *tenure             // the one won last; nil once it has ended
	last     uint64              // its token, also after its end; 0 before the first
	watch    LeaderWatcher       // from the first Elect on, until that fails or Cancel
	states   <-chan *LeaderState // of watch; nil without one
	observed *Leader             // by the watch
}

// A bid is one Elect that campaigns.
type bid struct {
	ctx      context.Context // of its campaign
	cancel   context.CancelFunc
	done     chan struct{} // closed when Elect is about to return
	canceled bool          // by Cancel; this and the rest are guarded by the elector's mu
	watches  bool          // it has started the elector's leader watch
	won      bool
}

// A tenure is one term that an Elect has won.
type tenure struct {
	term    Term
	givenUp bool // Cancel has taken it; guarded by the elector's mu
}

func newBid(ctx context.Context) *bid {
	b := &bid{done: make(chan struct{})}
	b.ctx, b.cancel = context.WithCancel(ctx)
	return b
}

// NewElector returns an Elector for the election called name. It does nothing until Elect is called, which is also when
// a bad name or option is reported. It panics if client is nil.
//
// The first Elect also starts a watch of who leads. That ends with the Elect if it fails, with Cancel and with the
// client's Close: who has no more use for an elector that has led calls Cancel.
func NewElector(client Client, name string, options ...ElectorOption) Elector {
	if client == nil {
		panic("reception: NewElector: client is nil")
	}
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
	b, err := e.begin(ctx)
	if b == nil {
		return e.wrap(err)
	}
	defer e.leave(b)
	e.observe(b)
	candidate := e.candidate
	term, err := e.client.Campaign(b.ctx, e.name, &candidate)
	return e.wrap(e.finish(ctx, b, term, err))
}

// begin makes room for a bid. It returns neither bid nor error if the elector leads already.
//
// A bid that was canceled and has not returned yet is waited for, so that Elect works right after Cancel.
func (e *elector) begin(ctx context.Context) (*bid, error) {
	for {
		e.mu.Lock()
		before := e.bid
		leads, busy := e.held() != nil, before != nil && !before.canceled
		if !leads && before == nil {
			e.bid = newBid(ctx)
			b := e.bid
			e.mu.Unlock()
			return b, nil
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

// leave makes room for the next bid, and takes the leader watch along that a failed one has started: electors that
// never led need no Cancel. It is deferred, so that a client that panics does not block the elector.
func (e *elector) leave(b *bid) {
	e.mu.Lock()
	e.bid = nil
	var watch LeaderWatcher
	if b.watches && !b.won {
		watch = e.unwatch()
	}
	e.mu.Unlock()
	if watch != nil {
		watch.Stop()
	}
	b.cancel()
	close(b.done)
}

// finish makes what Campaign has returned to the bid b the elector's state, and Elect's result.
//
// The interleaving that mu forbids: the campaign is won, and before the term is stored Cancel finds neither term nor
// anything left to cancel; the term is stored, and somebody leads who has been told not to. As it is, either Cancel
// finds the term, or this finds that b was canceled and gives the term up.
func (e *elector) finish(ctx context.Context, b *bid, term Term, err error) error {
	e.mu.Lock()
	b.won = err == nil && !b.canceled
	won, givenUp, current := b.won, b.canceled, &tenure{term: term}
	if won {
		e.tenure, e.last = current, term.Token()
	}
	e.mu.Unlock()
	switch {
	case won:
		// Costs a goroutine only when the term ends, and at once if it has ended by now.
		context.AfterFunc(term.Context(), func() { e.ended(current) })
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
//
// The interleaving to mind: the term has lapsed, and before this runs another Elect has won the next one. The first one
// was lost all the same, so it is not for e.tenure to say what is reported.
func (e *elector) ended(past *tenure) {
	e.mu.Lock()
	if e.tenure == past {
		e.tenure = nil
	}
	givenUp := past.givenUp
	e.mu.Unlock()
	if cause := lossOf(past.term.Context()); !givenUp && cause != nil && !errors.Is(cause, ErrClosed) && e.onDisconnect != nil {
		safely(e.log, "the disconnection callback of elector "+e.name, func() { e.onDisconnect(e.wrap(cause)) })
	}
}

// Cancel implements [Elector]. It may be called by the disconnection callback, or by anything else that runs on the
// elector's behalf: it waits for nothing but the backend, and for that no longer than resignLimit.
func (e *elector) Cancel() {
	e.mu.Lock()
	b, current, watch := e.bid, e.tenure, e.unwatch()
	e.tenure = nil
	if b != nil {
		b.canceled = true
	}
	if current != nil {
		current.givenUp = true
	}
	e.mu.Unlock()
	if b != nil {
		b.cancel()
	}
	if watch != nil {
		watch.Stop()
	}
	if current != nil {
		resign(current.term)
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
	if e.tenure != nil && e.tenure.term.Held() {
		return e.tenure.term
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

// lossOf returns why the term was lost whose context this is; nil if it lives or was resigned.
func lossOf(term context.Context) error {
	if cause := context.Cause(term); !errors.Is(cause, errResigned) {
		return cause
	}
	return nil
}
