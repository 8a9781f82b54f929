package reception

import (
	"context"
	"errors"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A candidacy is one place in an election's queue, and the session that it lives on.
type candidacy struct {
	s          *campaigns
	election   string
	service    driver.Service
	grace      time.Duration // before its horizon a term is to give notice; 0 for none
	session    driver.SessionID
	renewal    *renewal
	withdrawal *pursuit
	doubtful   bool // the answer to a withdrawal was lost; only withdrawal touches it
	absent     bool // the backend knew of no candidacy when it was withdrawn; set before withdrawal is done
}

// win waits in the queue until the term begins. The session is renewed meanwhile; when it is gone, so is the candidacy,
// and the wait ends.
func (y *candidacy) win(ctx context.Context) (*term, error) {
	if y.grace > 0 { // looked at now, rather than after the wait for the lead
		if err := y.renewal.try(ctx); err != nil { // how long a session is good for at first is no measure
			return nil, err
		}
		if err := y.renewal.allows(y.grace); err != nil {
			return nil, err
		}
	}
	waiting, cancel := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		cancel(y.renewal.run(waiting, events{}))
	}()
	defer func() {
		cancel(nil)
		<-renewed
	}()
	if err := y.enqueue(waiting); err != nil {
		return nil, err
	}
	retry := y.s.c.retrier()
	for {
		token, err := y.awaitTurn(waiting)
		if err != nil {
			return nil, err
		}
		t, err := y.confirm(waiting, ctx, token)
		if err == nil {
			return t, nil
		}
		if waiting.Err() != nil || errors.Is(err, ErrSessionExpired) || hopeless(err) {
			return nil, err
		}
		// Whoever told us that it is our turn was mistaken, or the term could not be confirmed in time.
		if err := pause(waiting, retry.NextBackOff()); err != nil {
			return nil, err
		}
	}
}

// enqueue takes a place in the queue. It repeats what may have happened already: a candidate keeps its place.
func (y *candidacy) enqueue(ctx context.Context) error {
	return y.s.c.persist(ctx, "queueing for "+y.election, func(ctx context.Context) error {
		return attempt(ctx, func(ctx context.Context) error {
			_, err := y.s.c.backend.Enqueue(ctx,
				&driver.EnqueueRequest{Session: y.session, Election: y.election, Service: y.service})
			return err
		})
	})
}

// awaitTurn waits until the candidate is at the head of the queue, and returns the token that its term would have.
func (y *candidacy) awaitTurn(ctx context.Context) (token uint64, err error) {
	err = y.s.c.persist(ctx, "waiting for a turn in "+y.election, func(ctx context.Context) error {
		turn, err := y.s.c.backend.AwaitTurn(ctx, &driver.AwaitTurnRequest{Session: y.session, Election: y.election})
		if err == nil {
			token = turn.Token
		}
		return err
	})
	return token, err
}

// confirm begins the term: it asks the servers whether session and candidacy stand, with a request sent now, after the
// turn has come, and counts from its sending. The interleaving that this forbids: the turn came, the reply was slow, the
// session expired and another one leads; who reports "elected" on the strength of the turn alone is the second leader.
//
// Where confirmations need to settle it asks until one has, or the term can stand on its session. values is the context
// whose values the term keeps.
func (y *candidacy) confirm(ctx, values context.Context, token uint64) (*term, error) {
	t := newTerm(values, y, token)
	for !t.renewal.held() {
		if err := t.renewal.try(ctx); err != nil {
			return nil, err
		}
		if err := t.renewal.allows(y.grace); err != nil { // a term may be good for less than its session
			return nil, err
		}
		t.renewal.standOn(y.renewal)
		if t.renewal.held() {
			break
		}
		if err := pause(ctx, t.renewal.wait()); err != nil {
			return nil, err
		}
	}
	// In this order, and Close in the other: it lets nothing be spawned any more and then ends the terms that have begun.
	// The interleaving that this forbids: Close ends all terms, then a campaign is told that it has won and hands out a
	// term that nobody ends.
	y.s.begin(t)
	if !y.s.c.spawn(t.run) {
		return nil, ErrClosed
	}
	y.s.c.event(EventTermBegun, y.election, nil)
	return t, nil
}

// withdraw gives up the candidacy, or the term that it became, and closes its session, for as long as that takes; but not
// for longer than the servers can keep a session that nobody renews.
func (y *candidacy) withdraw() {
	c := y.s.c
	c.spawn(func() {
		ctx, cancel := context.WithTimeout(c.life, y.renewal.afterlife())
		defer cancel()
		gone := y.withdrawal.run(ctx, c.retrier(), y.leave) &&
			c.persist(ctx, "closing a candidate's session", y.closeSession) == nil
		if gone || c.life.Err() == nil { // what Close has interrupted, it closes itself
			y.s.remove(y)
		}
	})
}

// leave gives up the place in the queue. Where that is refused, the end of the session does it.
func (y *candidacy) leave(ctx context.Context) error {
	_, err := y.s.c.backend.Withdraw(ctx, &driver.WithdrawRequest{Session: y.session, Election: y.election})
	switch {
	case errors.Is(err, ErrNotLeader), errors.Is(err, ErrSessionExpired):
		y.absent = !y.doubtful // or else it may be this that has withdrawn it
		return nil
	case errors.Is(err, ErrOutcomeUnknown):
		y.doubtful = true
	case errors.Is(err, ErrPermission) && y.closeSession(ctx) == nil:
		return nil
	}
	return err
}

// closeSession closes the session, and with it takes away whatever a late request may have put there.
func (y *candidacy) closeSession(ctx context.Context) error {
	return attempt(ctx, func(ctx context.Context) error { return y.s.c.closeSession(ctx, y.session) })
}

// verify asks the servers whether the term of that token stands, and for how long that is certain.
func (y *candidacy) verify(token uint64) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		confirmed, err := y.s.c.backend.Confirm(ctx,
			&driver.ConfirmRequest{Session: y.session, Election: y.election, Token: token})
		if err != nil {
			return 0, err
		}
		return confirmed.GoodFor, nil
	}
}
