package conformance

import (
	"fmt"
	"time"

	"github.com/go-reception/sdk/reception"
)

// A reader reads one watcher, and holds every state against the one before: whatever else a case is about, no state may
// break the rules of states.
type reader struct {
	s       *scene
	watcher reception.Watcher
	states  <-chan *reception.ServiceState
	seen    *reception.ServiceState // the latest
}

// watch starts a watcher of name.
func (m *member) watch(name string) *reader {
	m.s.Helper()
	r := &reader{s: m.s, watcher: m.NewWatcher(name)}
	m.s.Cleanup(r.watcher.Stop)
	states, err := r.watcher.Start(m.s.ctx())
	m.s.ok(err)
	r.states = states
	return r
}

// next returns the next state. The case fails if none comes within that time.
func (r *reader) next(within time.Duration) *reception.ServiceState {
	r.s.Helper()
	state, ok := receive(r.states, within)
	if !ok {
		r.s.Fatalf("no state within %v; the latest is %s", within, describe(r.seen))
	}
	return r.take(state)
}

// take holds a state that was received against the one before.
func (r *reader) take(state *reception.ServiceState) *reception.ServiceState {
	r.s.Helper()
	if wrong := follows(r.seen, state); wrong != "" {
		r.s.Fatalf("%s: %s, after %s", wrong, describe(state), describe(r.seen))
	}
	r.seen = state
	return state
}

// until reads until a state is as wanted, which it returns. The case fails if none is within that time.
func (r *reader) until(within time.Duration, what string, wanted func(*reception.ServiceState) bool) *reception.ServiceState {
	r.s.Helper()
	for deadline := time.Now().Add(within); ; {
		state, ok := receive(r.states, time.Until(deadline))
		if !ok {
			r.s.Fatalf("no state within %v with %s; the latest is %s", within, what, describe(r.seen))
		}
		if wanted(r.take(state)) {
			return state
		}
	}
}

// unless reads for that time, and fails the case for a state that is as described.
func (r *reader) unless(during time.Duration, what string, wrong func(*reception.ServiceState) bool) {
	r.s.Helper()
	for deadline := time.Now().Add(during); ; {
		state, ok := receive(r.states, time.Until(deadline))
		if !ok {
			return
		}
		if wrong(r.take(state)) {
			r.s.Fatalf("a state is %s: %s", what, describe(state))
		}
	}
}

// healthy reads until a healthy state holds exactly those services.
func (r *reader) healthy(within time.Duration, services ...*reception.Service) {
	r.s.Helper()
	r.until(within, text(services), func(state *reception.ServiceState) bool {
		return state.Err == nil && sameServices(state.Services, services)
	})
}

// troubled reads until a state has an error.
func (r *reader) troubled(within time.Duration) *reception.ServiceState {
	r.s.Helper()
	return r.until(within, "an error", func(state *reception.ServiceState) bool { return state.Err != nil })
}

// silent fails the case if a state comes in that time.
func (r *reader) silent(during time.Duration) {
	r.s.Helper()
	if state, ok := receive(r.states, during); ok {
		r.s.Fatalf("unexpected: %s, after %s", describe(state), describe(r.seen))
	}
}

// ends fails the case unless the channel is closed within that time. States that come before that are read.
func (r *reader) ends(within time.Duration) {
	r.s.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		select {
		case _, open := <-r.states:
			if !open {
				return
			}
		case <-timer.C:
			r.s.Fatalf("the channel is not closed after %v", within)
		}
	}
}

// follows says which rule of states next breaks, seen being the state before it, if there is one.
func follows(seen, next *reception.ServiceState) string {
	before := &reception.ServiceState{}
	if seen != nil {
		before = seen
		if next.Revision <= seen.Revision {
			return "its revision has not grown"
		}
		if (seen.Err == nil) == (next.Err == nil) && sameServices(seen.Services, next.Services) {
			return "it equals the state before"
		}
	}
	now := make(map[string]*reception.Service)
	for _, service := range before.Services {
		now[service.ID] = service
	}
	for _, service := range next.Removed {
		if now[service.ID] == nil || !same(now[service.ID], service) {
			return "it removes what was not there"
		}
		delete(now, service.ID)
	}
	for _, service := range next.Added {
		if now[service.ID] != nil {
			return "it adds what was there"
		}
		now[service.ID] = service
	}
	for _, service := range next.Updated {
		if now[service.ID] == nil || same(now[service.ID], service) {
			return "it updates what was not there or has not changed"
		}
		now[service.ID] = service
	}
	applied := make([]*reception.Service, 0, len(now))
	for _, service := range now {
		applied = append(applied, service)
	}
	if !sameServices(next.Services, applied) {
		return "its changes, applied to the state before, do not give its services"
	}
	return ""
}

func describe(state *reception.ServiceState) string {
	if state == nil {
		return "no state"
	}
	return fmt.Sprintf("state %d: %s, added %s, updated %s, removed %s, err %v", state.Revision, text(state.Services),
		text(state.Added), text(state.Updated), text(state.Removed), state.Err)
}
