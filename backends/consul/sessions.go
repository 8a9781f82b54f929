package consul

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A session is a hidden helper service with the agent, whose check stands for this process. Every instance that is
// registered on the session has a check that is an alias of the helper's, so one heartbeat is all that any number of
// them need, and they come and go together. A candidate's session has a session of Consul besides, which is bound to the
// helper's check.
type session struct {
	id   driver.SessionID
	ttl  time.Duration
	life context.Context // ends when the session is closed, or was found to be gone
	end  context.CancelFunc
	asks *asks // Consul's questions for the health of this process; nil with a TTL check

	mu     sync.Mutex
	node   string           // the agent's, as the catalog names it; empty as long as it is not known
	passed bool             // the check was seen to pass
	timed  bool             // the helper has a TTL check
	lock   string           // Consul's session, empty as long as there is none
	seats  map[string]*seat // the candidacies, by their election
}

// nodeName returns the agent's name; empty as long as it is not known.
func (s *session) nodeName() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.node
}

// hasTTL says whether the helper has a TTL check, which wants heartbeats.
func (s *session) hasTTL() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.timed
}

// lockSession returns Consul's session; empty if there is none.
func (s *session) lockSession() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lock
}

// sessions are those that a backend has opened and not closed.
type sessions struct {
	mu   sync.Mutex
	byID map[driver.SessionID]*session
}

// add takes a session in.
func (t *sessions) add(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = make(map[driver.SessionID]*session)
	}
	t.byID[s.id] = s
}

// get returns a session, nil if there is none of that ID. It may have ended.
func (t *sessions) get(id driver.SessionID) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// remove forgets a session.
func (t *sessions) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, s.id)
}

// end ends all sessions here, which is not told to Consul.
func (t *sessions) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.byID {
		s.end()
		s.silence()
	}
}

// silence has Consul be told no more that this process is well. As long as something lives on a session that has ended it
// is told so, lest that leave the lists before it is restored on another session.
func (s *session) silence() {
	if s.asks != nil {
		s.asks.stop()
	}
}

// session returns a session that is open.
func (b *backend) session(ctx context.Context, id driver.SessionID) (*session, error) {
	if b.life.Err() != nil {
		return nil, driver.ErrClosed
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s := b.sessions.get(id)
	if s == nil || s.life.Err() != nil {
		return nil, driver.ErrSessionExpired
	}
	return s, nil
}

// homes are where the instances live that a backend has stored, by Consul's IDs of them.
type homes struct {
	mu sync.Mutex
	of map[string]home
}

// A home is the session that an instance lives on, and the epoch that it was registered under.
type home struct {
	session driver.SessionID // empty for one that is to be restored
	epoch   uint64
	doubt   bool // nobody knows whether the agent has it, or is about to
}

// get returns where an instance lives.
func (h *homes) get(service string) home {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.of[service]
}

// set notes where an instance lives.
func (h *homes) set(service string, at home) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = make(map[string]home)
	}
	h.of[service] = at
}

// remove forgets an instance.
func (h *homes) remove(service string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.of, service)
}

// needed says whether something certainly lives on a session. If not, what may do so is forgotten.
func (h *homes) needed(session driver.SessionID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, at := range h.of {
		if at.session == session && !at.doubt {
			return true
		}
	}
	maps.DeleteFunc(h.of, func(_ string, at home) bool { return at.session == session })
	return false
}

// on returns the instances that live on a session, or may do so.
func (h *homes) on(session driver.SessionID) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var services []string
	for service, at := range h.of {
		if at.session == session {
			services = append(services, service)
		}
	}
	return services
}
