package consul

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// Enqueue implements [driver.Backend]. Consul keeps no queue: a candidate is one who has a session to take the lock with.
// One that comes first takes it at once, so that nobody who comes later is faster.
func (b *backend) Enqueue(ctx context.Context, in *driver.EnqueueRequest) (*driver.EnqueueResponse, error) {
	s, err := b.session(ctx, in.Session)
	if err != nil {
		return nil, err
	}
	value, err := encodeCandidate(s.id, &in.Service)
	if err != nil {
		return nil, err
	}
	if _, err := b.openLock(ctx, s); err != nil {
		return nil, err
	}
	seat, err := s.sit(in.Election, value)
	if err != nil {
		return nil, err
	}
	pair, err := b.lockOf(ctx, in.Election)
	if err == nil && (pair == nil || pair.Session == "") {
		_, err = b.attempt(ctx, seat, s.lockSession(), pair)
	}
	if err != nil && !errors.Is(err, errMoved) && !errors.Is(err, errDelayed) {
		return nil, err
	}
	return &driver.EnqueueResponse{}, nil
}

// sit makes a candidacy, or returns the one that there is.
func (s *session) sit(election string, value []byte) (*seat, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return nil, driver.ErrSessionExpired
	}
	if there := s.seats[election]; there != nil {
		return there, nil
	}
	made := &seat{election: election, value: value, busy: make(chan struct{}, 1)}
	made.given, made.giveUp = context.WithCancel(s.life)
	s.seats[election] = made
	return made, nil
}

// seat returns a candidacy, nil if there is none, and the token of its term, 0 as long as it does not lead.
func (s *session) seat(election string) (_ *seat, token uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.seats[election]
	if found == nil {
		return nil, 0
	}
	return found, found.token
}

// AwaitTurn implements [driver.Backend]. It waits for the lock to be free and tries to take it, as all candidates do.
func (b *backend) AwaitTurn(ctx context.Context, in *driver.AwaitTurnRequest) (*driver.AwaitTurnResponse, error) {
	s, err := b.session(ctx, in.Session)
	if err != nil {
		return nil, err
	}
	seat, _ := s.seat(in.Election)
	if seat == nil {
		return nil, driver.ErrNotLeader
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(seat.given, cancel)()
	token, err := b.takeTurn(waiting, s, seat)
	switch {
	case err == nil:
		s.mu.Lock()
		defer s.mu.Unlock()
		seat.token = token
		return &driver.AwaitTurnResponse{Token: token}, nil
	case b.life.Err() != nil:
		return nil, driver.ErrClosed
	case ctx.Err() != nil || seat.given.Err() == nil:
		return nil, err
	case s.life.Err() != nil:
		return nil, driver.ErrSessionExpired
	default:
		return nil, driver.ErrNotLeader
	}
}

// takeTurn waits for the lock and takes it.
func (b *backend) takeTurn(ctx context.Context, s *session, seat *seat) (token uint64, err error) {
	lock := s.lockSession()
	p := b.pollElection(seat.election)
	defer p.close()
	var delay <-chan time.Time // ends with the delay that began when the lock was freed; nil if that was not seen
	for woken, taken := false, false; ; woken = true {
		pair, err := p.next(ctx)
		switch {
		case err != nil:
			return 0, err
		case pair != nil && pair.Session == lock:
			return pair.ModifyIndex, nil // taken by an attempt whose answer was lost
		case pair != nil && pair.Session != "":
			p.fruitless, taken = woken, true
			continue
		case taken:
			delay, taken = time.After(b.settings.lockDelay), false
		}
		if woken && !pause(ctx, jitter) {
			return 0, ctx.Err()
		}
		token, err := b.attempt(ctx, seat, lock, pair)
		switch {
		case errors.Is(err, errDelayed):
			if !b.outwait(ctx, delay) {
				return 0, ctx.Err()
			}
			delay, p.index, p.fruitless = nil, 0, false
		case errors.Is(err, errMoved):
			p.index, p.fruitless = 0, true
		default:
			return token, err
		}
	}
}

// pollElection asks for the lock of an election.
func (b *backend) pollElection(election string) *poll[*api.KVPair] {
	return newPoll(b, func(q *api.QueryOptions) (*api.KVPair, *api.QueryMeta, error) {
		return b.client.KV().Get(b.electionKey(election), q)
	})
}

// Confirm implements [driver.Backend]. The heartbeat keeps the session alive, and proves nothing: the agent alone answers
// it. What counts is that a majority of the servers confirms, after the request was sent, that the session holds the
// lock, and by the very write that took it. If the servers end the session after that, they let nobody take the lock for
// the lock-delay.
func (b *backend) Confirm(ctx context.Context, in *driver.ConfirmRequest) (*driver.ConfirmResponse, error) {
	s, err := b.session(ctx, in.Session)
	if err != nil {
		return nil, err
	}
	seat, token := s.seat(in.Election)
	if seat == nil || token != in.Token {
		return nil, driver.ErrNotLeader
	}
	if err := b.beat(ctx, s); err != nil {
		return nil, err
	}
	pair, err := b.lockOf(ctx, in.Election)
	if err != nil {
		return nil, err
	}
	lock := s.lockSession()
	if pair != nil && pair.Session == lock && pair.ModifyIndex == in.Token {
		return &driver.ConfirmResponse{GoodFor: b.settings.lockDelay}, nil
	}
	if err := b.checkLockSession(ctx, s, lock); err != nil {
		return nil, err
	}
	return nil, driver.ErrNotLeader
}

// lockOf reads the lock of an election, nil if nobody has ever taken it.
func (b *backend) lockOf(ctx context.Context, election string) (pair *api.KVPair, err error) {
	err = b.read(ctx, func(ctx context.Context) (err error) {
		pair, _, err = b.client.KV().Get(b.electionKey(election), consistent(ctx))
		return err
	})
	return pair, err
}

// Withdraw implements [driver.Backend].
func (b *backend) Withdraw(ctx context.Context, in *driver.WithdrawRequest) (*driver.WithdrawResponse, error) {
	if b.life.Err() != nil {
		return nil, driver.ErrClosed
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s := b.sessions.get(in.Session)
	if s == nil {
		return nil, driver.ErrNotLeader
	}
	seat, token := s.seat(in.Election)
	if seat == nil {
		return nil, driver.ErrNotLeader
	}
	seat.giveUp()
	held, err := b.release(ctx, seat, s.lockSession())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	delete(s.seats, in.Election)
	s.mu.Unlock()
	if token != 0 && !held {
		return nil, driver.ErrNotLeader
	}
	return &driver.WithdrawResponse{}, nil
}

// GetLeader implements [driver.Backend].
func (b *backend) GetLeader(ctx context.Context, in *driver.GetLeaderRequest) (*driver.GetLeaderResponse, error) {
	pair, err := b.lockOf(ctx, in.Election)
	if err != nil {
		return nil, err
	}
	leader := b.leaderOf(in.Election, pair)
	if leader == nil {
		return nil, driver.ErrNoLeader
	}
	return &driver.GetLeaderResponse{Leader: leader}, nil
}
