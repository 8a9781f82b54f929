package chaos_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/chaos"
)

// A wrapper makes a backend that does something wrong.
type wrapper = func(*line, driver.Backend) driver.Backend

// TestBrokenElections has the runner find each way in which elections have been broken elsewhere. Two leaders at a time
// must be seen as such; and the fence must have kept them from doing harm, unless it is the tokens that are wrong.
func TestBrokenElections(t *testing.T) {
	for _, broken := range []struct {
		name string
		rule string
		wrap wrapper
	}{
		{"the horizon counts from the reply", chaos.RuleOverlap, fromReply},
		{"a follower's ping confirms", chaos.RuleOverlap, followersPing},
		{"a local agent's answer confirms", chaos.RuleOverlap, agentsAnswer},
		{"no session guard", chaos.RuleOverlap, unguarded},
		{"tokens come from a counter that restarts", chaos.RuleTokens, restarting},
	} {
		t.Run(strings.ReplaceAll(broken.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			const limit = 500
			for seed := uint64(1); seed <= limit; seed++ {
				report := play(t, broken.wrap, chaos.Plan{Seed: seed}, false).Check()
				found := func(rule string) func(chaos.Finding) bool {
					return func(f chaos.Finding) bool { return f.Rule == rule }
				}
				if broken.rule == chaos.RuleOverlap && slices.ContainsFunc(report.Findings, found(chaos.RuleCounter)) {
					t.Fatalf("seed %d: the fence has let two leaders write: %v", seed, report.Findings)
				}
				if i := slices.IndexFunc(report.Findings, found(broken.rule)); i >= 0 {
					t.Logf("found by schedule %d: %v; %d writes refused", seed, report.Findings[i], report.Refused)
					return
				}
			}
			t.Errorf("not found in %d schedules", limit)
		})
	}
}

// fromReply has GoodFor count from the arrival of the answer.
func fromReply(_ *line, b driver.Backend) driver.Backend {
	return instead(b, func(ctx context.Context, r *driver.ConfirmRequest) (any, error) {
		sent := time.Now()
		confirmed, err := b.Confirm(ctx, r)
		if err != nil {
			return nil, err
		}
		return &driver.ConfirmResponse{GoodFor: confirmed.GoodFor + time.Since(sent)}, nil
	})
}

// followersPing takes the word of the server at hand, which may be cut off from the one that decides.
func followersPing(l *line, b driver.Backend) driver.Backend {
	return instead(b, func(ctx context.Context, r *driver.ConfirmRequest) (any, error) {
		if server, others, _ := l.reaches(); server && !others {
			return &driver.ConfirmResponse{GoodFor: timing.TTL}, nil
		}
		return b.Confirm(ctx, r)
	})
}

// agentsAnswer takes the word of an agent, which passes the renewal on and does not wait for what the servers say. That
// a term begins it asks the servers.
func agentsAnswer(l *line, b driver.Backend) driver.Backend {
	begun := sessions{}
	return instead(b, func(ctx context.Context, r *driver.ConfirmRequest) (any, error) {
		if !begun.has(r.Session) {
			confirmed, err := b.Confirm(ctx, r)
			if err == nil {
				begun.add(r.Session)
			}
			return confirmed, err
		}
		_, _ = b.RenewSession(ctx, &driver.RenewSessionRequest{Session: r.Session})
		if server, _, _ := l.reaches(); !server {
			return nil, driver.ErrUnavailable
		}
		return &driver.ConfirmResponse{GoodFor: timing.TTL}, nil
	})
}

// unguarded begins a term when the turn has come, without asking whether the session still stands.
func unguarded(_ *line, b driver.Backend) driver.Backend {
	begun := sessions{}
	return instead(b, func(ctx context.Context, r *driver.ConfirmRequest) (any, error) {
		if !begun.has(r.Session) {
			begun.add(r.Session)
			return &driver.ConfirmResponse{GoodFor: timing.TTL}, nil
		}
		return b.Confirm(ctx, r)
	})
}

// restarting counts the terms of a process, which begins anew with it.
func restarting(_ *line, b driver.Backend) driver.Backend {
	var mu sync.Mutex
	count := uint64(0)
	tokens := make(map[driver.SessionID]uint64)
	return driver.Intercept(b, func(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
		switch r := call.Request.(type) {
		case *driver.AwaitTurnRequest:
			turn, err := b.AwaitTurn(ctx, r)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			tokens[r.Session] = turn.Token
			count++
			return &driver.AwaitTurnResponse{Token: count}, nil
		case *driver.ConfirmRequest:
			mu.Lock()
			token := tokens[r.Session]
			mu.Unlock()
			return b.Confirm(ctx, &driver.ConfirmRequest{Session: r.Session, Election: r.Election, Token: token})
		default:
			return invoke(ctx)
		}
	})
}

// sessions is a set of them.
type sessions struct {
	mu  sync.Mutex
	all []driver.SessionID
}

func (s *sessions) has(id driver.SessionID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.all, id)
}

func (s *sessions) add(id driver.SessionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, id)
}
