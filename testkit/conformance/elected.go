package conformance

import (
	"context"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// electedCases are about what has to be certain before a campaign is won.
func electedCases() []testCase {
	return []testCase{
		{
			rule: "E3", name: "a campaign is won by a confirmation that was sent after the turn had come",
			why:  "what was asked before says nothing about the term",
			play: confirmedAfterTurn,
		},
		{
			rule: "E3", name: "a turn that was announced by mistake begins no term",
			why:  "whoever announces a turn may be behind, or wrong",
			play: mistakenTurn,
		},
		{
			rule: "E3", name: "a candidacy that is removed at the last moment begins no term",
			why:   "between the turn and the confirmation everything may be lost",
			needs: []ability{canDepose},
			play: func(s *scene) {
				lastMoment(s, func(next *campaign) { s.cluster.Depose(next.election, next.session()) })
			},
		},
		{
			rule: "E3", name: "a session that ends at the last moment begins no term",
			why:   "between the turn and the confirmation everything may be lost",
			needs: []ability{canExpire},
			play:  func(s *scene) { lastMoment(s, func(next *campaign) { next.m.expire() }) },
		},
		{
			rule: "E3", name: "a candidate whose session ends while it waits stands again",
			why:   "a campaign ends with its context, not with a session",
			needs: []ability{canExpire},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				for range 3 {
					b.expire()
					s.never(s.TTL, "the holder has lost its term", func() bool { return !holder.term.Held() })
					next.waits()
				}
				s.ok(holder.term.Resign(s.ctx()))
				s.ok(next.elected(s.TTL + s.election()).Verify(s.ctx()))
			},
		},
		{
			rule: "E3", name: "a candidate that goes through an outage stands again",
			why:   "a campaign that has to be begun anew by its user is forgotten some day",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				heal := b.cut()
				s.never(s.gone(), "the holder has lost its term", func() bool { return !holder.term.Held() })
				heal()
				s.ok(holder.term.Resign(s.ctx()))
				s.ok(next.elected(2*s.step() + s.TTL + s.election()).Verify(s.ctx()))
			},
		},
		{
			rule: "E3", name: "lost answers on the way do not make two candidates",
			why:  "what is tried again must not be there twice",
			play: lostAnswers,
		},
		{
			rule: "E3", name: "the end of the context does not end the term, and its values stay",
			why: "a context bounds the wait only",
			play: func(s *scene) {
				type key struct{}
				a := s.member()
				ctx, cancel := context.WithCancel(context.WithValue(s.ctx(), key{}, "kept"))
				defer cancel()
				election := s.name("job")
				term, err := a.Campaign(ctx, election, s.service(election, "a"))
				s.ok(err)
				cancel()
				s.never(2*s.TTL, "the term is over", func() bool { return !term.Held() || term.Context().Err() != nil })
				if kept := term.Context().Value(key{}); kept != "kept" {
					s.Errorf("the value in the term's context is %v", kept)
				}
			},
		},
		{
			rule: "E3", name: "spi: only the head is confirmed, under its token, and kept alive by it",
			why:   "a confirmation is what a term stands on",
			needs: []ability{canFreeze},
			play:  spiConfirm,
		},
		{
			rule: "E3", name: "spi: who is not in the queue has no turn",
			why:  "a candidate that was removed must not wait for ever",
			play: spiNoCandidacy,
		},
	}
}

func confirmedAfterTurn(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	holder := a.leads(election, "a")
	next := b.campaign(election, "b").queued()
	s.never(s.TTL, "the campaign was confirmed before its turn", func() bool { return len(b.sent(driver.OpConfirm)) > 0 })
	s.ok(holder.term.Resign(s.ctx()))
	term := next.elected(s.election())
	turn := b.filter(0, func(c *call) bool { return c.Operation == driver.OpAwaitTurn || c.Operation == driver.OpConfirm })
	turned := false
	for _, c := range turn {
		if c.Operation == driver.OpAwaitTurn && c.err == nil {
			turned = true
		}
		if request, ok := c.Request.(*driver.ConfirmRequest); ok && c.err == nil && turned && request.Token == term.Token() {
			return
		}
	}
	s.Errorf("the campaign was won without a confirmation of token %d after its turn", term.Token())
}

func mistakenTurn(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	holder := a.leads(election, "a")
	truth := b.arm(driver.OpAwaitTurn, always, func(context.Context, func(context.Context) (any, error)) (any, error) {
		return &driver.AwaitTurnResponse{Token: holder.term.Token() + 1}, nil
	})
	next := b.campaign(election, "b").queued()
	s.never(2*s.TTL, "the holder has lost its term", func() bool { return !holder.term.Held() })
	next.waits()
	truth()
	s.ok(holder.term.Resign(s.ctx()))
	s.ok(next.elected(s.step() + s.election()).Verify(s.ctx()))
}

// lastMoment has something happen to a candidate between its turn and its confirmation.
func lastMoment(s *scene, happen func(next *campaign)) {
	a, b := s.pair()
	election := s.name("job")
	holder := a.leads(election, "a")
	next := b.campaign(election, "b").queued()
	var refusal error
	b.arm(driver.OpConfirm, 1, func(ctx context.Context, invoke func(context.Context) (any, error)) (any, error) {
		happen(next)
		response, err := invoke(ctx)
		refusal = err
		return response, err
	})
	s.ok(holder.term.Resign(s.ctx()))
	term := next.elected(s.TTL + 2*s.step() + s.election())
	if refusal == nil {
		s.Error("a candidacy that was lost is confirmed")
	}
	s.ok(term.Verify(s.ctx()))
	s.eventually(s.soon(), "the leader shows", func() bool { return tokenOf(a.leader(election)) == term.Token() })
}

func lostAnswers(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	a.arm(driver.OpEnqueue, 2, lost)
	a.arm(driver.OpConfirm, 2, lost)
	a.arm(driver.OpAwaitTurn, 2, refused)
	c := a.campaign(election, "a")
	term := c.elected(s.TTL + 4*s.step() + s.election())
	s.ok(term.Verify(s.ctx()))
	s.ok(term.Resign(s.ctx()))
	b.nobodyLeads(s.soon(), election) // a second candidate would lead now
	s.never(s.TTL, "somebody leads", func() bool { return b.leader(election) != nil })
}

func spiConfirm(s *scene) {
	d, e := s.direct(), s.direct()
	election := s.name("job")
	session, other := d.open(), e.open()
	d.enqueue(session.Session, election, "d")
	e.enqueue(other.Session, election, "e")
	token := d.leads(session.Session, election)
	for range 3 {
		s.is(e.confirm(other.Session, election, token), driver.ErrNotLeader)
		s.is(d.confirm(session.Session, election, token+1), driver.ErrNotLeader)
		s.is(d.confirm(session.Session, s.name("another"), token), driver.ErrNotLeader)
		s.never(session.TTL/2, "the session is lost, although it is confirmed", func() bool {
			_, err := e.RenewSession(s.ctx(), &driver.RenewSessionRequest{Session: other.Session})
			s.ok(err)
			return d.confirm(session.Session, election, token) != nil
		})
	}
	sent := time.Now()
	confirmed, err := d.Confirm(s.ctx(), &driver.ConfirmRequest{Session: session.Session, Election: election, Token: token})
	s.ok(err)
	if confirmed.GoodFor <= 0 {
		s.Errorf("a confirmation is good for %v", confirmed.GoodFor)
	}
	if session.Settle > 0 { // the confirmation counts once a later one is confirmed, too
		s.ok(sleep(s.ctx(), session.Settle))
		s.ok(d.confirm(session.Session, election, token))
	}
	thaw := s.undo(s.cluster.Freeze(d.raw))
	e.keep(other)
	next, err := e.awaitTurn(s.ctx(), other.Session, election)
	s.ok(err)
	if took := time.Since(sent); took < confirmed.GoodFor-s.Grace {
		s.Errorf("another one led %v after a confirmation that was good for %v", took, confirmed.GoodFor)
	}
	if next <= token {
		s.Errorf("the next token is %d, after %d", next, token)
	}
	thaw()
	if err := d.confirm(session.Session, election, token); err == nil {
		s.Error("the old term is confirmed")
	}
	s.ok(e.confirm(other.Session, election, next))
}

func spiNoCandidacy(s *scene) {
	d, e := s.direct(), s.direct()
	election := s.name("job")
	session, _ := d.session()
	_, err := d.awaitTurn(s.ctx(), session, election)
	s.is(err, driver.ErrNotLeader)
	s.is(d.confirm(session, election, 1), driver.ErrNotLeader)
	s.is(d.withdraw(session, election), driver.ErrNotLeader)

	leading, _ := e.session()
	e.enqueue(leading, election, "e")
	e.leads(leading, election)
	d.enqueue(session, election, "d")
	waiting := make(chan error, 1)
	s.start(func() { _, err := d.awaitTurn(s.ctx(), session, election); waiting <- err })
	s.never(s.poll(), "a candidate that is not at the head has its turn", func() bool { return len(waiting) > 0 })
	s.ok(d.withdraw(session, election))
	err, returned := receive(waiting, s.soon())
	if !returned {
		s.Fatal("a candidate that was withdrawn waits for its turn")
	}
	s.is(err, reception.ErrNotLeader)
}
