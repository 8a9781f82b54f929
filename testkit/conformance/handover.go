package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// handoverCases are about giving up the lead, and about who is woken by that.
func handoverCases() []testCase {
	return []testCase{
		{
			rule: "E6", name: "Resign hands over at once, and only then",
			why:  "a planned hand-over must not cost a TTL, and must not make two leaders either",
			play: handsOver,
		},
		{
			rule: "E6", name: "without the lead there is nothing to resign",
			why: "who resigns twice, or too late, is told so",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				term := a.leads(election, "a").term
				s.ok(term.Resign(s.ctx()))
				s.is(term.Resign(s.ctx()), reception.ErrNotLeader)
				s.is(term.Verify(s.ctx()), reception.ErrNotLeader)
				next := b.leads(election, "b")
				s.is(term.Resign(s.ctx()), reception.ErrNotLeader)
				s.never(s.TTL, "the second leader has lost its term", func() bool { return !next.term.Held() })
			},
		},
		{
			rule: "E6", name: "a term that was lost is not resigned",
			why:   "the lead is somebody else's by then",
			needs: []ability{canExpire},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				a.expire()
				holder.lost(s.soon() + s.Propagation)
				s.is(holder.term.Resign(s.ctx()), reception.ErrNotLeader)
				next.elected(s.election())
			},
		},
		{
			rule: "E6", name: "cut off, Resign ends the term here and is unavailable",
			why:   "the local end is what matters, and the servers' follows",
			needs: []ability{canCut},
			play:  func(s *scene) { resignsDuring(s, (*member).cut) },
		},
		{
			rule: "E6", name: "in silence, Resign ends the term here and is unavailable",
			why:   "the local end is what matters, and the servers' follows",
			needs: []ability{canFreeze},
			play:  func(s *scene) { resignsDuring(s, (*member).freeze) },
		},
		{
			rule: "E6", name: "a resignation without time to wait is carried out",
			why: "resigning with a context that has ended is common when processes shut down",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				ended, cancel := context.WithCancel(s.ctx())
				cancel()
				_ = holder.term.Resign(ended) // what it returns is not the point
				if holder.term.Held() {
					s.Error("the term is held after Resign")
				}
				next.elected(s.election())
			},
		},
		{
			rule: "E6", name: "a term may be resigned with its own context",
			why: "that is the context that the leader's work has at hand",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				s.ok(holder.term.Resign(holder.term.Context()))
				next.elected(s.election())
			},
		},
		{
			rule: "E6", name: "a resignation whose answer is lost is confirmed by another one",
			why: "the caller wants to know that the lead is free, and the SDK can find out",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				holder := a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				a.arm(driver.OpWithdraw, 1, lost)
				start := time.Now()
				s.ok(holder.term.Resign(s.ctx()))
				if took := time.Since(start); took > s.step()+s.soon() {
					s.Errorf("it took %v", took)
				}
				next.elected(s.election())
			},
		},
		{
			rule: "E6", name: "spi: Withdraw takes a candidate out once",
			why: "the turn is the next one's as soon as it returns",
			play: func(s *scene) {
				d, e := s.direct(), s.direct()
				election := s.name("job")
				first, _ := d.session()
				second, _ := e.session()
				d.enqueue(first, election, "d")
				d.leads(first, election)
				e.enqueue(second, election, "e")
				s.is(d.withdraw(first, s.name("another")), driver.ErrNotLeader)
				s.ok(d.withdraw(first, election))
				s.is(d.withdraw(first, election), driver.ErrNotLeader)
				e.leads(second, election)
				_, err := d.RenewSession(s.ctx(), &driver.RenewSessionRequest{Session: first})
				s.ok(err) // the session stays open
			},
		},
		{
			rule: "E7", name: "one departure wakes one waiter",
			why:   "a herd that wakes at every departure keeps the servers busy with nothing",
			needs: []ability{canWakeUps},
			play:  wakesOne,
		},
		{
			rule: "E7", name: "candidates that wait do not ask",
			why: "a queue must cost the servers nothing but heartbeats",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				a.leads(election, "a")
				next := b.campaign(election, "b").queued()
				s.never(s.TTL, "the campaign is over", func() bool { return len(b.sent(driver.OpConfirm)) > 0 })
				mark := b.mark()
				s.never(5*s.TTL, "the campaign is over", func() bool { return len(b.sent(driver.OpConfirm)) > 0 })
				for _, c := range b.after(mark) {
					if c.Operation != driver.OpRenewSession {
						s.Errorf("%s was called while nothing happened", c.Operation.Name)
					}
				}
				next.waits()
			},
		},
	}
}

func handsOver(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	holder := a.leads(election, "a")
	next := b.campaign(election, "b", func() {
		if holder.term.Held() {
			s.Error("the successor leads while the term that was resigned is held")
		}
	}).queued()
	s.never(s.TTL/2, "the holder has lost its term", func() bool { return !holder.term.Held() })
	a.arm(driver.OpWithdraw, 1, func(ctx context.Context, invoke func(context.Context) (any, error)) (any, error) {
		if holder.term.Held() || holder.term.Context().Err() == nil {
			s.Error("the servers are told before the term has ended here")
		}
		return invoke(ctx)
	})
	s.ok(holder.term.Resign(s.ctx()))
	resigned := time.Now()
	if holder.term.Held() || holder.term.Context().Err() == nil {
		s.Error("after Resign the term is held")
	}
	token := next.elected(s.election()).Token()
	if took := next.begun.Sub(resigned); took > s.election() {
		s.Errorf("the hand-over took %v", took)
	}
	if token <= holder.term.Token() {
		s.Errorf("the successor's token is %d, after %d", token, holder.term.Token())
	}
}

// resignsDuring has a holder resign that cannot reach the backend, and never does again.
func resignsDuring(s *scene, begin func(*member) (end func())) {
	a, b := s.pair()
	election := s.name("job")
	holder := a.leads(election, "a")
	next := b.campaign(election, "b").queued()
	begin(a)
	s.is(holder.term.Resign(s.brief(s.TTL/10)), reception.ErrUnavailable)
	if holder.term.Held() || holder.term.Context().Err() == nil {
		s.Error("after Resign the term is held")
	}
	next.elected(s.gone() + s.election())
}

func wakesOne(s *scene) {
	election := s.name("job")
	holder := s.member().leads(election, "first")
	var waiting []*campaign
	for i := range 10 {
		waiting = append(waiting, s.member().campaign(election, fmt.Sprint(i)).queued())
	}
	s.never(s.poll(), "a campaign is won out of turn", func() bool { return !holder.term.Held() })
	woken := s.cluster.WakeUps()
	wakes := func(most uint64, what string) {
		s.Helper()
		s.never(s.TTL/4, fmt.Sprintf("%s woke more than %d", what, most), func() bool {
			return s.cluster.WakeUps()-woken > most
		})
		woken = s.cluster.WakeUps()
	}
	for range 3 {
		s.ok(holder.term.Resign(s.ctx()))
		holder, waiting = waiting[0], waiting[1:]
		holder.elected(s.election())
		wakes(1, "a resignation")
	}
	middle := waiting[3]
	middle.cancel()
	middle.fails(s.soon(), reception.ErrElectionCanceled)
	wakes(1, "a candidate that gave up")
}
