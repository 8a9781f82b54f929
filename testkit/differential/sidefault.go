package differential

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-reception/sdk/reception"
)

// brief is how long a client waits for what it does without a connection.
const brief = 100 * time.Millisecond

// fault lets a fault befall the client, and returns when its effects are over.
func (s *side) fault(ctx context.Context, st act) string {
	switch st.verb {
	case "cut":
		return s.cut(ctx, st)
	case "leave":
		return s.leave(ctx, st)
	}
	return s.expire(ctx, st)
}

// cut has the client ask while it is cut off, and again until it is answered.
func (s *side) cut(ctx context.Context, st act) string {
	heal := s.cluster.Cut(s.backends[st.client])
	during := s.leader(ctx, st)
	heal()
	return fmt.Sprintf("%s, then answered: %v", during, s.answered(ctx, st))
}

// answered waits until the client is answered again.
func (s *side) answered(ctx context.Context, st act) bool {
	for ctx.Err() == nil {
		_, err := s.clients[st.client].Leader(ctx, st.name)
		if err == nil || errors.Is(err, reception.ErrNoLeader) {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// leave has the client deregister while it is cut off: that takes effect once it is not.
func (s *side) leave(ctx context.Context, st act) string {
	heal := s.cluster.Cut(s.backends[st.client])
	short, cancel := context.WithTimeout(ctx, brief)
	defer cancel()
	during := identity(s.clients[st.client].Deregister(short, service(st.name, st.id)))
	heal()
	gone := func(services []*reception.Service) bool {
		for _, service := range services {
			if service.ID == st.id && service.Attributes["by"] == fmt.Sprint(st.client) {
				return false
			}
		}
		return true
	}
	return fmt.Sprintf("%s, then gone: %v", during, s.lists(ctx, st.name, gone))
}

// lists waits until every client lists what it should.
func (s *side) lists(ctx context.Context, name string, is func([]*reception.Service) bool) bool {
	for _, c := range s.clients {
		for {
			services, err := c.ListServices(ctx, name)
			if err == nil && is(services) {
				break
			}
			if ctx.Err() != nil {
				return false
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return true
}

// expire ends the client's sessions: the owners of its registrations are told so, these come back, and its terms are over.
func (s *side) expire(ctx context.Context, st act) string {
	s.cluster.Expire(s.backends[st.client])
	var outcome strings.Builder
	for _, at := range st.leads {
		fmt.Fprintf(&outcome, "%s is lost: %v; ", at.name, s.loses(ctx, at))
	}
	for _, at := range st.owned {
		told := s.tells(at, reception.ErrSessionExpired)
		there := s.lists(ctx, at.name, func(services []*reception.Service) bool {
			for _, service := range services {
				if service.ID == at.id && service.Attributes["by"] == fmt.Sprint(at.client) {
					return true
				}
			}
			return false
		})
		fmt.Fprintf(&outcome, "%s/%s is told %s, and back: %v; ", at.name, at.id, told, there)
	}
	return outcome.String()
}

// loses waits until a term is over.
func (s *side) loses(ctx context.Context, at post) bool {
	held := func() bool { return s.terms[at].Held() }
	if at.id != "" {
		held = func() bool { return s.electors[post{at.client, at.name, ""}].IsLeader() }
	}
	for held() {
		if ctx.Err() != nil {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}
