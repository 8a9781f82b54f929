package conformance

import (
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// overlapCases are about there never being two leaders.
func overlapCases() []testCase {
	succeeded := func(trouble func(*member)) func(*scene) {
		return func(s *scene) {
			a, b := s.pair()
			holder, _ := s.succession(a, b, s.name("job"), trouble)
			if err := holder.term.Verify(s.brief(s.TTL / 10)); err == nil {
				s.Error("a term that is over verifies")
			}
		}
	}
	return []testCase{
		{
			rule: "E1", name: "a holder that is cut off stops before the next begins",
			why:   "two leaders at a time is the one thing that an election is there to prevent",
			needs: []ability{canCut},
			play:  succeeded(func(a *member) { a.cut() }),
		},
		{
			rule: "E1", name: "a holder in silence stops before the next begins",
			why:   "nothing tells a holder that nobody hears it any more, but its clock",
			needs: []ability{canFreeze},
			play:  succeeded(func(a *member) { a.freeze() }),
		},
		{
			rule: "E1", name: "a holder whose renewals are refused stops before the next begins",
			why:  "everything else may work all the while",
			play: succeeded(func(a *member) { a.arm(driver.OpConfirm, always, refused) }),
		},
		{
			rule: "E1", name: "a holder whose line is slow stops before the next begins",
			why:   "a renewal counts from its sending, however late its answer is",
			needs: []ability{canFreeze},
			play: succeeded(func(a *member) {
				a.arm(driver.OpConfirm, always, slow(a.s.TTL/4))
				_ = sleep(a.s.ctx(), 2*a.s.TTL) // renewals with slow answers
				a.freeze()
			}),
		},
		{
			rule: "E1", name: "a holder whose servers' clocks are fast stops before the next begins",
			why:   "the margin is there for clocks that differ in rate",
			needs: []ability{canFreeze, canDrift},
			play: func(s *scene) {
				a, b := s.pair()
				s.cluster.Drift(a.raw, 1-0.9*float64(s.Margin)/float64(s.TTL))
				s.succession(a, b, s.name("job"), func(a *member) { a.freeze() })
			},
		},
		{
			rule: "E1", name: "servers that are late do no harm",
			why:   "a holder does not know when its session is dropped, only until when it is not",
			needs: []ability{canCut, canExpireLate},
			play: func(s *scene) {
				a, b := s.pair()
				s.Late += 2 * s.TTL
				s.cluster.ExpireLate(s.Late)
				s.succession(a, b, s.name("job"), func(a *member) { a.cut() })
			},
		},
		{
			rule: "E1", name: "who comes back after its term is no leader",
			why:   "a holder that wakes up must find out before it acts",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				heal := func() {}
				holder, next := s.succession(a, b, election, func(a *member) { heal = a.cut() })
				heal()
				s.is(holder.term.Verify(s.ctx()), reception.ErrNotLeader)
				s.is(holder.term.Resign(s.ctx()), reception.ErrNotLeader)
				s.never(2*s.TTL, "the old holder has disturbed the new one", func() bool {
					return holder.term.Held() || !next.term.Held()
				})
				s.ok(next.term.Verify(s.ctx()))
			},
		},
		{
			rule: "E1", name: "leaders that fail in turn succeed each other without an overlap",
			why:   "what holds once must hold every time",
			needs: []ability{canCut},
			play:  failInTurn,
		},
		{
			rule: "E1", name: "tokens grow, whatever happens in between",
			why:  "the fence refuses smaller ones, so a token that does not grow locks its holder out",
			play: tokensGrow,
		},
		{
			rule: "E1", name: "a holder that is deposed steps down on notice",
			why:   "an administrator who removes a leader wants another one now",
			needs: []ability{canDepose},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				s.cluster.Depose(election, holder.session())
				holder.lost(s.soon() + s.Propagation)
				if next.elected(s.election()).Token() <= holder.term.Token() {
					s.Error("the successor's token is not greater")
				}
				s.is(holder.term.Resign(s.ctx()), reception.ErrNotLeader)
			},
		},
		{
			rule: "E1", name: "a holder whose session was ended steps down on notice",
			why:   "an administrator who ends a session wants its locks free now",
			needs: []ability{canExpire},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				a.expire()
				holder.lost(s.soon() + s.Propagation)
				if next.elected(s.election()).Token() <= holder.term.Token() {
					s.Error("the successor's token is not greater")
				}
			},
		},
		{
			rule: "E1", name: "a wipe ends the term, and there is a leader again",
			why:   "a new life of the data knows nothing of terms before",
			needs: []ability{canWipe},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				s.cluster.Wipe()
				holder.lost(s.TTL/2 + s.soon())
				next.elected(s.TTL + s.election())
			},
		},
	}
}

// succession has a leads, then trouble befall it, and expects b to be elected: after a has stopped believing in its term,
// and with a greater token.
func (s *scene) succession(a, b *member, election string, trouble func(*member)) (holder, next *campaign) {
	s.Helper()
	holder = a.leads(election, "a")
	next = b.campaign(election, "b", func() {
		if holder.term.Held() {
			s.Error("two leaders: the first one's term is held when the second one's begins")
		}
	}).queued()
	s.never(2*s.TTL, "the holder, whom nothing ails, has lost its term", func() bool { return !holder.term.Held() })
	next.waits()
	trouble(a)
	token := next.elected(s.gone() + s.election()).Token()
	gap := next.begun.Sub(holder.lost(s.Grace + s.poll()))
	if len(a.confirmed(driver.OpWithdraw)) == 0 { // otherwise it has handed over itself, with no gap to speak of
		s.run.gap(s.Name(), gap)
	}
	if gap < -s.Grace {
		s.Errorf("two leaders: the second term began %v before the first one had ended", -gap)
	}
	if token <= holder.term.Token() {
		s.Errorf("the successor's token is %d, after %d", token, holder.term.Token())
	}
	s.eventually(s.soon(), "the successor shows as the leader", func() bool { return tokenOf(b.leader(election)) == token })
	return holder, next
}

func failInTurn(s *scene) {
	election := s.name("job")
	a, b := s.pair()
	for range 5 {
		heal := func() {}
		_, next := s.succession(a, b, election, func(a *member) { heal = a.cut() })
		heal()
		s.ok(next.term.Resign(s.ctx()))
		a.nobodyLeads(s.gone(), election)
		a, b = b, a
	}
}

func tokensGrow(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	token := uint64(0)
	grows := func(term reception.Term, how string) {
		s.Helper()
		if term.Token() <= token {
			s.Fatalf("%s the token is %d, after %d", how, term.Token(), token)
		}
		token = term.Token()
	}
	for i := range 100 {
		m := []*member{a, b}[i%2]
		term := m.leads(election, "candidate").term
		grows(term, "after nobody was left")
		s.eventually(s.soon(), "the leader shows", func() bool { return tokenOf(m.leader(election)) == token })
		s.ok(term.Resign(s.ctx()))
	}
	c := s.member()
	grows(c.leads(election, "c").term, "for a newcomer")
	s.ok(c.Close())
	grows(a.leads(election, "a").term, "after the holder's client was closed")
}

// horizonCases are about terms that end by the holder's own clock.
func horizonCases() []testCase {
	return []testCase{
		{
			rule: "E2", name: "alone and cut off, a term ends at its horizon",
			why:   "the holder cannot know whether somebody else wants to lead",
			needs: []ability{canCut},
			play:  func(s *scene) { endsAtHorizon(s, func(a *member) { a.cut() }) },
		},
		{
			rule: "E2", name: "in silence, a term ends at its horizon",
			why:   "a call that hangs must not stop the clock",
			needs: []ability{canFreeze},
			play:  func(s *scene) { endsAtHorizon(s, func(a *member) { a.freeze() }) },
		},
		{
			rule: "E2", name: "the horizon counts from the sending of what was confirmed",
			why:   "the servers count from when they were asked, not from when their answer arrives",
			needs: []ability{canFreeze},
			play: func(s *scene) {
				endsAtHorizon(s, func(a *member) {
					a.arm(driver.OpConfirm, always, slow(s.TTL/8)) // more than the margin, and less than the client's patience
					_ = sleep(s.ctx(), 2*s.TTL)                    // renewals with slow answers
					a.freeze()
				})
			},
		},
		{
			rule: "E2", name: "what is not confirmed does not count",
			why: "a renewal whose answer is lost may not have happened",
			play: func(s *scene) {
				endsAtHorizon(s, func(a *member) { a.arm(driver.OpConfirm, always, lost) })
			},
		},
		{
			rule: "E2", name: "an answer that comes after the horizon revives nothing",
			why:   "somebody else may have led in between",
			needs: []ability{canFreeze, canExpireLate},
			play: func(s *scene) {
				a := s.member()
				election := s.name("job")
				s.cluster.ExpireLate(10 * s.TTL)
				holder := a.leads(election, "a")
				thaw := a.freeze()
				holder.lost(s.TTL + s.Grace)
				thaw()
				s.never(2*s.TTL, "a term that had ended is held again", holder.term.Held)
				s.is(holder.term.Verify(s.ctx()), reception.ErrNotLeader)
			},
		},
		{
			rule: "E2", name: "a term that is renewed lasts",
			why: "nothing but trouble ends a term, and a renewal that fails now and then is none",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				for range 5 {
					a.arm(driver.OpConfirm, 1, refused)
					s.never(s.TTL, "the term is over", func() bool { return !holder.term.Held() })
					a.arm(driver.OpConfirm, 1, lost)
					s.never(s.TTL, "the term is over", func() bool { return !holder.term.Held() })
				}
				next.waits()
				s.ok(holder.term.Verify(s.ctx()))
			},
		},
		{
			rule: "E2", name: "an outage of half the TTL ends no term",
			why:   "leads that change hands at every hiccup are of no use",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				heal := a.cut()
				s.never(s.TTL/4, "the term is over", func() bool { return !holder.term.Held() })
				heal()
				s.never(3*s.TTL, "the term is over", func() bool { return !holder.term.Held() })
				next.waits()
			},
		},
	}
}

// endsAtHorizon has trouble befall a holder whom nobody wants to succeed.
func endsAtHorizon(s *scene, trouble func(*member)) {
	a := s.member()
	holder := a.leads(s.name("job"), "a")
	s.never(2*s.TTL, "the holder, whom nothing ails, has lost its term", func() bool { return !holder.term.Held() })
	trouble(a)
	ended := holder.lost(s.TTL + s.Grace)
	horizon := a.horizon(driver.OpConfirm)
	if spare := horizon.Sub(ended); spare < s.Margin-s.Grace {
		s.Errorf("the term ended %v before the servers might let another one lead, want at least %v", spare, s.Margin)
	}
	if early := horizon.Sub(ended) - s.Margin; early > s.TTL/2 {
		s.Errorf("the term ended %v before it had to", early.Round(time.Millisecond))
	}
	s.is(holder.term.Verify(s.brief(s.TTL/10)), reception.ErrNotLeader)
}
