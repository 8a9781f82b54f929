package differential

import (
	"context"
	"fmt"
	"time"

	"github.com/go-reception/sdk/reception"
)

// hopeless is how long a candidate waits where another one leads.
const hopeless = 30 * time.Millisecond

// lead is what has to do with elections.
func (s *side) lead(ctx context.Context, st act) string {
	switch st.verb {
	case "campaign":
		return s.campaign(ctx, st)
	case "succeed":
		return s.succeed(ctx, st)
	case "leader":
		return s.leader(ctx, st)
	case "observe":
		return s.observe(ctx, st)
	case "elect":
		return s.elect(ctx, st)
	case "cancel", "led":
		return s.elected(st)
	}
	term := s.terms[post{st.client, st.name, ""}]
	switch {
	case term == nil:
		return "never led"
	case st.verb == "resign":
		return fmt.Sprintf("%s, held: %v", identity(term.Resign(ctx)), term.Held())
	}
	return fmt.Sprintf("%s, held: %v", identity(term.Verify(ctx)), term.Held()) // verify
}

// leader asks who leads.
func (s *side) leader(ctx context.Context, st act) string {
	leader, err := s.clients[st.client].Leader(ctx, st.name)
	if err != nil {
		return identity(err)
	}
	return s.shows(st.name, leader)
}

// shows says who leads, in words that are the same on all backends.
func (s *side) shows(election string, leader *reception.Leader) string {
	if leader == nil {
		return identity(reception.ErrNoLeader)
	}
	return fmt.Sprintf("%s, the latest token: %v", leader.Service.ID, leader.Token == s.tokens[election])
}

// observe waits until the client's leader watcher shows whom the client is told when it asks.
func (s *side) observe(ctx context.Context, st act) string {
	at := post{st.client, st.name, ""}
	w := s.views[at]
	if w == nil {
		states, err := s.clients[st.client].NewLeaderWatcher(st.name).Start(s.t.Context())
		if err != nil {
			return identity(err)
		}
		w = &watch[reception.LeaderState]{states: states}
		s.views[at] = w
	}
	want := s.leader(ctx, st)
	return w.await(ctx, want, func(state *reception.LeaderState) bool {
		return state.Err == nil && s.shows(st.name, state.Leader) == want
	})
}

// campaign campaigns until the client leads, or for a moment if another one does.
func (s *side) campaign(ctx context.Context, st act) string {
	if st.verb == "campaign" && st.other >= 0 {
		short, cancel := context.WithTimeout(ctx, hopeless)
		defer cancel()
		ctx = short
	}
	term, err := s.clients[st.client].Campaign(ctx, st.name, service("candidate", fmt.Sprint("of-step-", st.n)))
	if err != nil {
		return identity(err)
	}
	s.terms[post{st.client, st.name, ""}] = term
	return fmt.Sprintf("leads, held: %v, %s", term.Held(), s.token(st.name, term))
}

// token compares a term's token with those before.
func (s *side) token(election string, term reception.Term) string {
	before := s.tokens[election]
	s.tokens[election] = term.Token()
	return fmt.Sprintf("token is greater: %v", term.Token() > before)
}

// succeed has the leader resign while the client campaigns.
func (s *side) succeed(ctx context.Context, st act) string {
	leading := s.terms[post{st.other, st.name, ""}]
	won := make(chan string, 1)
	go func() { won <- s.campaign(ctx, st) }()
	resigned := identity(leading.Resign(ctx))
	return resigned + ", " + <-won
}

// elect campaigns through the client's elector, for a moment only if somebody leads already.
func (s *side) elect(ctx context.Context, st act) string {
	if st.other >= 0 {
		short, cancel := context.WithTimeout(ctx, hopeless)
		defer cancel()
		ctx = short
	}
	at := post{st.client, st.name, ""}
	e := s.electors[at]
	if e == nil {
		e = reception.NewElector(s.clients[st.client], st.name, reception.WithServiceID(fmt.Sprint("elected-since-", st.n)))
		s.electors[at] = e
	}
	led := e.IsLeader()
	if err := e.Elect(ctx); err != nil {
		return fmt.Sprintf("%s, leads: %v", identity(err), e.IsLeader())
	}
	if led {
		return fmt.Sprintf("leads on: %v", e.IsLeader())
	}
	return fmt.Sprintf("leads: %v, %s", e.IsLeader(), s.token(st.name, e.Term()))
}

// elected asks the client's elector who leads, or cancels it.
func (s *side) elected(st act) string {
	at := post{st.client, st.name, ""}
	e := s.electors[at]
	if e == nil {
		return "no elector"
	}
	if st.verb == "cancel" {
		e.Cancel()
		delete(s.electors, at)
		return fmt.Sprintf("leads: %v", e.IsLeader())
	}
	if leader := e.Leader(); leader != nil {
		return fmt.Sprintf("leads: %v, knows of %s", e.IsLeader(), leader.ID)
	}
	return fmt.Sprintf("leads: %v, knows of nobody", e.IsLeader())
}
