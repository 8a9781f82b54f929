package conformance

import (
	"fmt"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A leaderReader reads one leader watcher, and holds every state against the one before.
type leaderReader struct {
	s       *scene
	watcher reception.LeaderWatcher
	states  <-chan *reception.LeaderState
	seen    *reception.LeaderState
}

// watchLeader starts a watcher of election.
func (m *member) watchLeader(election string) *leaderReader {
	m.s.Helper()
	r := &leaderReader{s: m.s, watcher: m.NewLeaderWatcher(election)}
	m.s.Cleanup(r.watcher.Stop)
	states, err := r.watcher.Start(m.s.ctx())
	m.s.ok(err)
	r.states = states
	return r
}

// until reads until a state is as wanted. The case fails if none is within that time.
func (r *leaderReader) until(within time.Duration, what string, wanted func(*reception.LeaderState) bool) {
	r.s.Helper()
	for deadline := time.Now().Add(within); ; {
		state, ok := receive(r.states, time.Until(deadline))
		if !ok {
			r.s.Fatalf("no state within %v with %s; the latest is %+v", within, what, r.seen)
		}
		r.take(state)
		if wanted(state) {
			return
		}
	}
}

// take holds a state against the one before: tokens do not go back within one life of the data.
func (r *leaderReader) take(state *reception.LeaderState) {
	r.s.Helper()
	if r.seen != nil {
		before, now := r.seen.Leader, state.Leader
		if (r.seen.Err == nil) == (state.Err == nil) && tokenOf(before) == tokenOf(now) {
			r.s.Fatalf("a state that equals the one before: %+v", state)
		}
		if before != nil && now != nil && now.Token < before.Token {
			r.s.Fatalf("token %d comes after %d", now.Token, before.Token)
		}
	}
	r.seen = state
}

func tokenOf(leader *reception.Leader) uint64 {
	if leader == nil {
		return 0
	}
	return leader.Token
}

// shows reads until a healthy state shows a leader of that ID, or nobody for "".
func (r *leaderReader) shows(within time.Duration, id string) {
	r.s.Helper()
	r.until(within, fmt.Sprintf("leader %q", id), func(state *reception.LeaderState) bool {
		if state.Err != nil || (state.Leader == nil) != (id == "") {
			return false
		}
		return id == "" || state.Leader.Service.ID == id
	})
}

// ends fails the case unless the channel is closed within that time.
func (r *leaderReader) ends(within time.Duration) {
	r.s.Helper()
	for deadline := time.Now().Add(within); ; {
		if _, open := receive(r.states, time.Until(deadline)); !open {
			break
		}
	}
	select {
	case <-r.states:
	default:
		r.s.Fatalf("the channel is not closed after %v", within)
	}
}

// leaderCases are about seeing who leads.
func leaderCases() []testCase {
	return []testCase{
		{
			rule: "E8", name: "anyone can see the leader and its token",
			why:  "those who work for a leader must find it, and know its fence",
			play: leaderIsSeen,
		},
		{
			rule: "E8", name: "nobody leads when nobody does",
			why: "an election without a leader is no failure of the backend",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				_, err := a.Leader(s.ctx(), election)
				s.is(err, reception.ErrNoLeader)
				w := b.watchLeader(election)
				w.shows(s.soon(), "")
				holder := a.leads(election, "a")
				w.shows(s.soon(), "a")
				s.ok(holder.term.Resign(s.ctx()))
				w.shows(s.soon(), "")
				_, err = b.Leader(s.ctx(), election)
				s.is(err, reception.ErrNoLeader)
			},
		},
		{
			rule: "E8", name: "every settled change of leaders arrives",
			why:  "who follows the leader must not follow one that is gone",
			play: changesOfLeadersArrive,
		},
		{
			rule: "E8", name: "a watch of the leader survives an outage",
			why:   "trouble is told, and what changed meanwhile after it",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				observer := s.member()
				w := observer.watchLeader(election)
				w.shows(s.soon(), "a")
				next := b.campaign(election, "b").queued()
				heal := observer.cut()
				w.until(s.gone(), "trouble", func(state *reception.LeaderState) bool { return state.Err != nil })
				if state := w.seen; state.Leader == nil || state.Leader.Service.ID != "a" {
					s.Errorf("trouble comes without what was known: %+v", state)
				}
				s.is(w.seen.Err, reception.ErrUnavailable)
				s.ok(holder.term.Resign(s.ctx()))
				next.elected(s.election())
				heal()
				w.shows(s.step()+s.soon(), "b")
			},
		},
		{
			rule: "E8", name: "watchers of an election share a stream, and a bad name is refused",
			why: "observing costs a server one stream for each process",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				a.leads(election, "a")
				for range 20 {
					b.watchLeader(election).shows(s.soon(), "a")
				}
				if n := len(b.sent(driver.OpWatchLeader)); n != 1 {
					s.Errorf("20 watchers have opened %d streams", n)
				}
				_, err := b.Leader(s.ctx(), "no election")
				s.is(err, reception.ErrInvalidService)
			},
		},
		{
			rule: "E8", name: "spi: the head of the queue is the leader, and its stream follows it",
			why:  "readers and the queue must mean the same one",
			play: spiLeader,
		},
		{
			rule: "E8", name: "spi: the stream of a candidacy ends with it",
			why: "a holder is to learn at once that it was removed",
			play: func(s *scene) {
				d, e := s.direct(), s.direct()
				election := s.name("job")
				leading, _ := d.session()
				d.enqueue(leading, election, "d")
				token := d.leads(leading, election)
				waiting, _ := e.session()
				e.enqueue(waiting, election, "e")
				own, other := d.watchCandidacy(leading, election), e.watchCandidacy(waiting, election)
				there := func(present map[string]*driver.Candidate) bool { return len(present) == 1 }
				own.until(s.soon(), "the candidacy shows", there)
				other.until(s.soon(), "the other candidacy shows", there)
				if got := own.present[election]; got.Session != leading || got.Token != token {
					s.Errorf("the candidacy of %s under %d shows as %+v", leading, token, got)
				}
				s.ok(d.withdraw(leading, election))
				own.until(s.soon(), "the candidacy is gone", func(present map[string]*driver.Candidate) bool {
					return len(present) == 0
				})
				if !there(other.present) {
					s.Error("another candidacy is gone, too")
				}
			},
		},
	}
}

func leaderIsSeen(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	candidate := s.service(election, "a")
	term, err := a.Campaign(s.ctx(), election, candidate)
	s.ok(err)
	b.campaign(election, "b").queued()
	observer := s.member()
	w := observer.watchLeader(election)
	w.shows(s.soon(), "a")
	for _, m := range []*member{a, b, observer} {
		s.eventually(s.soon(), "the leader shows", func() bool { return m.leader(election) != nil })
		leader := m.leader(election)
		if leader.Token != term.Token() || !same(leader.Service, candidate) {
			s.Errorf("the leader is %s under %d, want %s under %d", text([]*reception.Service{leader.Service}), leader.Token,
				text([]*reception.Service{candidate}), term.Token())
		}
		leader.Service.Port = 1 // the caller's own
	}
	if seen := w.seen.Leader; seen.Token != term.Token() || !same(seen.Service, candidate) {
		s.Errorf("a watch shows %+v", seen)
	}
	if leader := b.leader(election); !same(leader.Service, candidate) {
		s.Error("what one caller does with its leader shows in another's")
	}
}

func changesOfLeadersArrive(s *scene) {
	election := s.name("job")
	observer := s.member()
	w, late := observer.watchLeader(election), observer.watchLeader(election)
	w.shows(s.soon(), "")
	late.shows(s.soon(), "")
	holder := s.member().leads(election, "0")
	w.shows(s.soon(), "0")
	for i := 1; i <= 5; i++ {
		id := fmt.Sprint(i)
		next := s.member().campaign(election, id).queued()
		s.ok(holder.term.Resign(s.ctx()))
		next.elected(s.election())
		w.shows(s.soon(), id)
		if w.seen.Leader.Token != next.term.Token() {
			s.Errorf("the watch shows token %d, the term has %d", w.seen.Leader.Token, next.term.Token())
		}
		holder = next
	}
	late.shows(s.poll(), "5") // one that did not read gets the latest, and nothing old after it
	s.ok(holder.term.Resign(s.ctx()))
	w.shows(s.soon(), "")
	late.shows(s.soon(), "")
}

func spiLeader(s *scene) {
	d, e := s.direct(), s.direct()
	election := s.name("job")
	_, err := e.GetLeader(s.ctx(), &driver.GetLeaderRequest{Election: election})
	s.is(err, driver.ErrNoLeader)
	w := e.watchLeader(election)
	neighbour, _ := d.session()
	d.enqueue(neighbour, election+"2", "neighbour") // election is a prefix of its name
	for _, id := range []string{"1", "2", "3"} {
		session, _ := d.session()
		d.enqueue(session, election, id)
		waiting, _ := d.session()
		d.enqueue(waiting, election, "waiting")
		token := d.leads(session, election)
		s.eventually(s.soon(), "the leader shows", func() bool {
			got, err := e.GetLeader(s.ctx(), &driver.GetLeaderRequest{Election: election})
			return err == nil && got.Leader.Service.ID == id && got.Leader.Token == token && got.Leader.Session == session
		})
		w.until(s.soon(), "the leader shows", func(present map[string]*driver.Candidate) bool {
			return present[election] != nil && present[election].Token == token
		})
		s.ok(d.withdraw(waiting, election))
		s.ok(d.withdraw(session, election))
		w.until(s.soon(), "nobody leads", func(present map[string]*driver.Candidate) bool { return len(present) == 0 })
	}
}
