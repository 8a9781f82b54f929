package conformance_test

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/onfake"
)

// onfakeTTL is the time to live of the sessions that broken backends open.
var onfakeTTL = onfake.Quick().TTL

// brokenElections are wrong in who leads.
func brokenElections() []broken {
	type (
		turn     = driver.AwaitTurnRequest
		confirm  = driver.ConfirmRequest
		withdraw = driver.WithdrawRequest
	)
	return []broken{
		{name: "every turn has come", rules: []string{"E3"}, wrap: instead(driver.OpAwaitTurn,
			func(ctx context.Context, b driver.Backend, r *turn, _ invocation) (any, error) {
				led, err := b.GetLeader(ctx, &driver.GetLeaderRequest{Election: r.Election})
				if err != nil {
					return nil, err
				}
				return &driver.AwaitTurnResponse{Token: led.Leader.Token}, nil
			})},
		{name: "no turn ever comes", rules: []string{"E1", "E6"}, wrap: instead(driver.OpAwaitTurn,
			func(ctx context.Context, b driver.Backend, r *turn, invoke invocation) (any, error) {
				led, err := b.GetLeader(ctx, &driver.GetLeaderRequest{Election: r.Election})
				if err == nil && led.Leader.Session == r.Session {
					return invoke(ctx)
				}
				<-ctx.Done()
				return nil, ctx.Err()
			})},
		{name: "who was removed waits for ever", rules: []string{"E3"}, wrap: instead(driver.OpAwaitTurn,
			func(ctx context.Context, _ driver.Backend, _ *turn, invoke invocation) (any, error) {
				result, err := invoke(ctx)
				if errors.Is(err, driver.ErrNotLeader) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return result, err
			})},
		{name: "every term is confirmed", rules: []string{"E1", "E3"}, wrap: instead(driver.OpConfirm,
			func(_ context.Context, _ driver.Backend, _ *confirm, invoke invocation) (any, error) {
				if confirmed, err := invoke(context.Background()); err == nil {
					return confirmed, nil
				}
				return &driver.ConfirmResponse{GoodFor: onfakeTTL}, nil
			})},
		{name: "a confirmation is of the session only", rules: []string{"E3"}, wrap: instead(driver.OpConfirm,
			func(ctx context.Context, b driver.Backend, r *confirm, _ invocation) (any, error) {
				renewed, err := b.RenewSession(ctx, &driver.RenewSessionRequest{Session: r.Session})
				if err != nil {
					return nil, err
				}
				return &driver.ConfirmResponse{GoodFor: renewed.GoodFor}, nil
			})},
		{name: "a confirmation keeps nothing alive", rules: []string{"E2"}, wrap: instead(driver.OpConfirm,
			func(ctx context.Context, b driver.Backend, r *confirm, _ invocation) (any, error) {
				led, err := b.GetLeader(ctx, &driver.GetLeaderRequest{Election: r.Election})
				if err != nil || led.Leader.Token != r.Token {
					return nil, errors.Join(driver.ErrNotLeader, err)
				}
				return &driver.ConfirmResponse{GoodFor: onfakeTTL}, nil
			})},
		{
			name: "a confirmation is good for too long", rules: []string{"E1", "E3"},
			wrap: answering(driver.OpConfirm, func(r *driver.ConfirmResponse) { r.GoodFor *= 2 }),
		},
		{name: "tokens stand still", rules: []string{"E1", "E4"}, wrap: tokenless},
		{name: "Withdraw does nothing", rules: []string{"E6"}, wrap: instead(driver.OpWithdraw,
			func(context.Context, driver.Backend, *withdraw, invocation) (any, error) {
				return &driver.WithdrawResponse{}, nil
			})},
		{name: "Withdraw is never too late", rules: []string{"E6"}, wrap: failing(func(c driver.Call, err error) error {
			if c.Operation == driver.OpWithdraw && errors.Is(err, driver.ErrNotLeader) {
				return nil
			}
			return err
		})},
		{name: "Withdraw closes the session", rules: []string{"E6"}, wrap: instead(driver.OpWithdraw,
			func(ctx context.Context, b driver.Backend, r *withdraw, invoke invocation) (any, error) {
				result, err := invoke(ctx)
				_, _ = b.CloseSession(ctx, &driver.CloseSessionRequest{Session: r.Session})
				return result, err
			})},
		{name: "Enqueue goes to the end again", rules: []string{"E4"}, wrap: instead(driver.OpEnqueue,
			func(ctx context.Context, b driver.Backend, r *driver.EnqueueRequest, invoke invocation) (any, error) {
				_, _ = b.Withdraw(ctx, &withdraw{Session: r.Session, Election: r.Election})
				return invoke(ctx)
			})},
		{name: "elections ignore case", rules: []string{"V1"}, wrap: oneElection},
	}
}

// tokenless answers with a token that is always the same, and knows the right one itself.
func tokenless(b driver.Backend) driver.Backend {
	const fixed = 1
	var mu sync.Mutex
	tokens := make(map[driver.SessionID]uint64)
	turns := instead(driver.OpAwaitTurn,
		func(ctx context.Context, b driver.Backend, r *driver.AwaitTurnRequest, _ invocation) (any, error) {
			turn, err := b.AwaitTurn(ctx, r)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			tokens[r.Session] = turn.Token
			return &driver.AwaitTurnResponse{Token: fixed}, nil
		})
	confirms := instead(driver.OpConfirm,
		func(ctx context.Context, b driver.Backend, r *driver.ConfirmRequest, _ invocation) (any, error) {
			mu.Lock()
			token := tokens[r.Session]
			mu.Unlock()
			return b.Confirm(ctx, &driver.ConfirmRequest{Session: r.Session, Election: r.Election, Token: token})
		})
	leaders := answering(driver.OpGetLeader, func(r *driver.GetLeaderResponse) {
		leader := r.Leader.Clone()
		leader.Token = fixed
		r.Leader = &leader
	})
	return leaders(confirms(turns(b)))
}

// oneElection holds all elections of a namespace that differ in case as one.
func oneElection(b driver.Backend) driver.Backend {
	enqueues := instead(driver.OpEnqueue,
		func(ctx context.Context, b driver.Backend, r *driver.EnqueueRequest, _ invocation) (any, error) {
			return b.Enqueue(ctx, &driver.EnqueueRequest{Session: r.Session, Election: strings.ToLower(r.Election), Service: r.Service})
		})
	turns := instead(driver.OpAwaitTurn,
		func(ctx context.Context, b driver.Backend, r *driver.AwaitTurnRequest, _ invocation) (any, error) {
			return b.AwaitTurn(ctx, &driver.AwaitTurnRequest{Session: r.Session, Election: strings.ToLower(r.Election)})
		})
	confirms := instead(driver.OpConfirm,
		func(ctx context.Context, b driver.Backend, r *driver.ConfirmRequest, _ invocation) (any, error) {
			return b.Confirm(ctx, &driver.ConfirmRequest{Session: r.Session, Election: strings.ToLower(r.Election), Token: r.Token})
		})
	return confirms(turns(enqueues(b)))
}

// brokenLeaders are wrong in what they show of who leads.
func brokenLeaders() []broken {
	type batch = driver.Batch[driver.Candidate]
	return []broken{
		{name: "the leader is the first one ever", rules: []string{"E8"}, wrap: func(b driver.Backend) driver.Backend {
			var mu sync.Mutex
			first := make(map[string]*driver.Candidate)
			return instead(driver.OpGetLeader,
				func(ctx context.Context, b driver.Backend, r *driver.GetLeaderRequest, _ invocation) (any, error) {
					led, err := b.GetLeader(ctx, r)
					mu.Lock()
					defer mu.Unlock()
					if err == nil && first[r.Election] == nil {
						first[r.Election] = led.Leader
					}
					if first[r.Election] == nil {
						return nil, err
					}
					return &driver.GetLeaderResponse{Leader: first[r.Election]}, nil
				})(b)
		}},
		{
			name: "the leader's attributes are lost", rules: []string{"E8", "V3"},
			wrap: answering(driver.OpGetLeader, func(r *driver.GetLeaderResponse) {
				leader := r.Leader.Clone()
				leader.Service.Attributes = nil
				r.Leader = &leader
			}),
		},
		{name: "nobody leading is unavailable", rules: []string{"E8"}, wrap: failing(func(_ driver.Call, err error) error {
			if errors.Is(err, driver.ErrNoLeader) {
				return driver.ErrUnavailable
			}
			return err
		})},
		{name: "the watch of the leader never ends a term", rules: []string{"E8"}, wrap: streaming(driver.OpWatchLeader,
			func() func(*batch) *batch {
				heard := false
				return func(b *batch) *batch {
					if heard && len(b.Changes) == 0 {
						return nil
					}
					heard = true
					return b
				}
			})},
		{
			name: "the watch of the leader is deaf", rules: []string{"E8"},
			wrap: streaming(driver.OpWatchLeader, deaf[driver.Candidate]),
		},
		{
			name: "the watch of a candidacy is deaf", rules: []string{"E1", "E8"},
			wrap: streaming(driver.OpWatchCandidacy, deaf[driver.Candidate]),
		},
	}
}
