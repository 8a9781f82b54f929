package reception

import "context"

// observe starts the leader watch of the bid b, if there is none.
//
// The interleaving that mu forbids: Cancel stops the watch that it finds, which is none yet, and the one that is stored
// after it goes on for ever.
func (e *elector) observe(b *bid) {
	e.mu.Lock()
	watched := e.watch != nil
	e.mu.Unlock()
	if watched {
		return // only a bid starts a watch, and there is one at a time
	}
	watch := e.client.NewLeaderWatcher(e.name)
	states, err := watch.Start(context.Background()) // it outlives this Elect
	e.mu.Lock()
	unwanted := err != nil || b.canceled
	if !unwanted {
		e.watch, e.states, b.watches = watch, states, true
	}
	e.mu.Unlock()
	if unwanted {
		watch.Stop() // Campaign is going to say what is wrong
	}
}

// unwatch forgets the leader watch and returns it, nil without one, for the caller to stop. It is called with mu held.
func (e *elector) unwatch() LeaderWatcher {
	watch := e.watch
	e.watch, e.states, e.observed = nil, nil, nil
	return watch
}

// Leader implements [Elector].
func (e *elector) Leader() *Service {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held() != nil {
		return copyService(&e.candidate)
	}
	e.catchUp()
	if e.observed == nil || e.past(e.observed) {
		return nil
	}
	return copyService(e.observed.Service)
}

// past reports whether leader is a term of ours that is over, whatever the watch has heard. The token alone does not
// tell: a cluster that was wiped counts from one again. It is called with mu held.
func (e *elector) past(leader *Leader) bool {
	return e.last != 0 && leader.Token == e.last && leader.Service.ID == e.candidate.ID
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
