package conformance

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// queueCases are about waiting for the lead, and about giving up.
func queueCases() []testCase {
	return []testCase{
		{
			rule: "E4", name: "first come, first served",
			why:   "a candidate that is passed over again and again never leads",
			needs: []ability{isFair},
			play:  firstComeFirstServed,
		},
		{
			rule: "E4", name: "a candidate whose answer was lost keeps its place",
			why:   "who came first must not be sent to the end by trouble with its line",
			needs: []ability{isFair},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				b.arm(driver.OpEnqueue, 1, lost)
				first := b.campaign(election, "first")
				s.eventually(s.soon(), "the candidate was sent", func() bool { return len(b.sent(driver.OpEnqueue)) > 0 })
				second := s.member().campaign(election, "second").queued()
				first.queued()
				s.ok(holder.term.Resign(s.ctx()))
				first.elected(s.election())
				second.waits()
			},
		},
		{
			rule: "E4", name: "spi: who is in the queue keeps its place",
			why:   "a request that is repeated must not send its candidate to the end",
			needs: []ability{isFair},
			play: func(s *scene) {
				d, e := s.direct(), s.direct()
				election := s.name("job")
				sessions := make([]driver.SessionID, 3)
				for i := range sessions {
					sessions[i], _ = d.session()
					d.enqueue(sessions[i], election, fmt.Sprint(i))
				}
				d.enqueue(sessions[0], election, "0") // again
				d.enqueue(sessions[1], election, "1")
				last := uint64(0)
				for i, session := range sessions {
					token := d.leads(session, election)
					if token <= last {
						s.Errorf("token %d comes after %d", token, last)
					}
					last = token
					s.eventually(s.soon(), fmt.Sprintf("turn %d is that of candidate %d", i, i), func() bool {
						got, err := e.GetLeader(s.ctx(), &driver.GetLeaderRequest{Election: election})
						return err == nil && got.Leader.Service.ID == fmt.Sprint(i) && got.Leader.Token == token
					})
					s.ok(d.withdraw(session, election))
				}
			},
		},
		{
			rule: "E5", name: "a campaign that is given up leaves no candidate",
			why:  "one that nobody wants any more must not win",
			play: givenUp,
		},
		{
			rule: "E5", name: "a campaign that is given up before it has begun leaves no candidate",
			why: "a context that has ended is a campaign that is over",
			play: func(s *scene) {
				a, b := s.pair()
				ctx, cancel := context.WithCancel(s.ctx())
				cancel()
				election := s.name("job")
				_, err := a.Campaign(ctx, election, s.service(election, "a"))
				s.is(err, reception.ErrElectionCanceled)
				s.is(err, context.Canceled)
				b.nobodyLeads(0, election)
				b.leads(election, "b")
			},
		},
		{
			rule: "E5", name: "a candidate that lands late is removed again",
			why:  "a request may be carried out long after its campaign was given up",
			play: lateCandidate,
		},
		{
			rule: "E5", name: "cut off, a campaign that is given up leaves no candidate beyond its TTL",
			why:   "what cannot be reached leaves by itself",
			needs: []ability{canCut},
			play:  func(s *scene) { givenUpDuring(s, (*member).cut) },
		},
		{
			rule: "E5", name: "in silence, a campaign that is given up leaves no candidate beyond its TTL",
			why:   "what cannot be reached leaves by itself",
			needs: []ability{canFreeze},
			play:  func(s *scene) { givenUpDuring(s, (*member).freeze) },
		},
		{
			rule: "E5", name: "a campaign that was given up is withdrawn when the backend returns",
			why:   "the next one in the queue must not wait for a TTL that is renewed, or counted from later",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				given := b.campaign(election, "b").queued()
				heal := b.cut()
				given.cancel()
				given.fails(s.soon(), reception.ErrElectionCanceled)
				heal()
				s.never(s.TTL/4, "the holder has lost its term", func() bool { return !holder.term.Held() })
				s.ok(holder.term.Resign(s.ctx()))
				s.member().campaign(election, "c").elected(s.TTL/2 + s.step() + s.soon())
			},
		},
	}
}

func firstComeFirstServed(s *scene) {
	election := s.name("job")
	holder := s.member().leads(election, "first")
	var waiting []*campaign
	for i := range 5 {
		waiting = append(waiting, s.member().campaign(election, fmt.Sprint(i)).queued())
	}
	waiting[2].cancel() // one from the middle
	waiting[2].fails(s.soon(), reception.ErrElectionCanceled)
	waiting = append(waiting[:2], waiting[3:]...)
	for i, next := range waiting {
		for _, later := range waiting[i:] {
			later.waits()
		}
		s.ok(holder.term.Resign(s.ctx()))
		next.elected(s.election())
		holder = next
	}
}

func givenUp(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	holder := a.leads(election, "a")
	for i := range 3 {
		given := b.campaign(election, fmt.Sprint(i)).queued()
		given.cancel()
		given.fails(s.soon(), reception.ErrElectionCanceled)
		s.is(given.err, context.Canceled)
	}
	timedOut := s.brief(s.TTL / 4)
	_, err := b.Campaign(timedOut, election, s.service(election, "late"))
	s.is(err, reception.ErrElectionCanceled)
	s.is(err, context.DeadlineExceeded)
	if !holder.term.Held() {
		s.Error("the holder has lost its term to campaigns that were given up")
	}
	s.eventually(s.step()+s.soon(), "the candidacies are withdrawn", func() bool {
		withdrawn := len(b.confirmed(driver.OpWithdraw)) + len(b.confirmed(driver.OpCloseSession))
		return withdrawn >= 4
	})
	s.ok(holder.term.Resign(s.ctx()))
	a.nobodyLeads(s.soon(), election)
	s.never(s.gone(), "somebody leads", func() bool { return a.leader(election) != nil })
}

func lateCandidate(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	late := b.hold(driver.OpEnqueue)
	_, err := b.Campaign(s.brief(s.TTL/4), election, s.service(election, "late"))
	s.is(err, reception.ErrElectionCanceled)
	if !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("the error does not say that the time was over: %v", err)
	}
	s.never(s.TTL/4, "somebody leads", func() bool { return a.leader(election) != nil })
	late.release()
	s.closes(late.arrived, s.soon(), "the late candidate arrives")
	a.nobodyLeads(s.gone(), election)
	s.never(s.TTL, "somebody leads", func() bool { return a.leader(election) != nil })
	a.leads(election, "a")
}

// givenUpDuring gives a campaign up while the backend cannot be reached, for good.
func givenUpDuring(s *scene, begin func(*member) (end func())) {
	a, b := s.pair()
	election := s.name("job")
	holder := a.leads(election, "a")
	given := b.campaign(election, "b").queued()
	begin(b)
	given.cancel()
	given.fails(s.soon(), reception.ErrElectionCanceled)
	s.never(s.gone(), "the holder has lost its term", func() bool { return !holder.term.Held() })
	s.ok(holder.term.Resign(s.ctx()))
	s.never(s.TTL, "somebody leads", func() bool { return a.leader(election) != nil })
}
