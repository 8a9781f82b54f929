package conformance

import (
	"context"
	"errors"
	"time"

	"github.com/go-reception/sdk/reception"
)

// elector makes an elector of a member's.
func (m *member) elector(election, id string, options ...reception.ElectorOption) reception.Elector {
	elector := reception.NewElector(m, election, append(options, reception.WithServiceID(id))...)
	m.s.Cleanup(elector.Cancel)
	return elector
}

// elects starts Elect on a goroutine of its own and returns its result.
func (s *scene) elects(elector reception.Elector) <-chan error {
	result := make(chan error, 1)
	ctx := s.ctx()
	s.start(func() { result <- elector.Elect(ctx) })
	return result
}

// won waits until an Elect has returned without an error.
func (s *scene) won(result <-chan error, within time.Duration) {
	s.Helper()
	err, returned := receive(result, within)
	if !returned {
		s.Fatalf("Elect has not returned within %v", within)
	}
	s.ok(err)
}

// electorCases are about campaigning again, by electors and otherwise.
func electorCases() []testCase {
	return []testCase{
		{
			rule: "E9", name: "an elector leads again after it has resigned",
			why: "a process that gives up the lead does not give up for ever",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				first, second := a.elector(election, "a"), b.elector(election, "b")
				last := uint64(0)
				for range 3 {
					for _, elector := range []reception.Elector{first, second} {
						s.won(s.elects(elector), s.election())
						if !elector.IsLeader() || elector.Term() == nil || elector.Term().Token() <= last {
							s.Fatalf("after Elect: leader %v, term %v, last token %d", elector.IsLeader(), elector.Term(), last)
						}
						last = elector.Term().Token()
						s.ok(elector.Term().Resign(s.ctx()))
						if elector.IsLeader() || elector.Term() != nil {
							s.Error("after Resign the elector leads")
						}
					}
				}
			},
		},
		{
			rule: "E9", name: "an elector leads again after it has lost the lead",
			why:   "losing the lead is common, and the user's loop is to call Elect again",
			needs: []ability{canCut},
			play:  electsAfterLoss,
		},
		{
			rule: "E9", name: "Cancel ends a campaign, resigns a term, and Elect works again",
			why:  "one call has to be enough to step back, whatever the elector is at",
			play: cancels,
		},
		{
			rule: "E9", name: "two electors of one client are two candidates",
			why: "parts of a process may stand for the same election",
			play: func(s *scene) {
				a := s.member()
				election := s.name("job")
				first, second := a.elector(election, "1"), a.elector(election, "2")
				s.won(s.elects(first), s.election())
				result := s.elects(second)
				s.never(s.TTL, "both lead", func() bool { return second.IsLeader() || !first.IsLeader() })
				first.Cancel()
				s.won(result, s.election())
				if first.IsLeader() || !second.IsLeader() {
					s.Error("the second elector has not taken over")
				}
			},
		},
		{
			rule: "E9", name: "electors know the leader",
			why: "those who do not lead want to know who does",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				first := a.elector(election, "a", reception.WithHostAndPort("a.example.com", 80),
					reception.WithAttributes(reception.Attributes{"zone": "1"}))
				second := b.elector(election, "b")
				s.won(s.elects(first), s.election())
				s.elects(second)
				knows := func(elector reception.Elector, id string) func() bool {
					return func() bool { leader := elector.Leader(); return leader != nil && leader.ID == id }
				}
				s.eventually(s.soon(), "the first knows that it leads", knows(first, "a"))
				s.eventually(s.soon(), "the second knows the leader", knows(second, "a"))
				if leader := second.Leader(); leader.Address != "a.example.com" || leader.Attributes["zone"] != "1" {
					s.Errorf("the leader shows as %s", text([]*reception.Service{leader}))
				}
				first.Cancel()
				s.eventually(s.election(), "the second knows that it leads", knows(second, "b"))
			},
		},
		{
			rule: "E9", name: "a loss is told once, a resignation is not",
			why:   "who gives up the lead knows it already",
			needs: []ability{canExpire},
			play: func(s *scene) {
				a := s.member()
				election := s.name("job")
				told := s.calls()
				elector := a.elector(election, "a", reception.WithDisconnectionCallback(told.note))
				for range 2 {
					s.won(s.elects(elector), s.election())
					a.expire()
					if _, ok := receive(told.arrived, s.soon()); !ok {
						s.Fatal("the loss was not told")
					}
					s.won(s.elects(elector), s.election())
					s.ok(elector.Term().Resign(s.ctx()))
					s.won(s.elects(elector), s.election())
					elector.Cancel()
					s.never(s.TTL, "a resignation was told", func() bool { return len(told.arrived) > 0 })
				}
			},
		},
		{
			rule: "E9", name: "RunWhileLeader keeps the lead until its work has returned",
			why:  "work that goes on after the lead is given up is a second leader's",
			play: runsWhileLeader,
		},
		{
			rule: "E9", name: "RunWhileLeader ends its work with the term and says why",
			why:   "work must learn that it is over, and its caller what has happened",
			needs: []ability{canFreeze},
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				var lost time.Time
				running, result := make(chan struct{}), make(chan error, 1)
				s.start(func() {
					result <- reception.RunWhileLeader(s.ctx(), a, election, s.service(election, "a"),
						func(ctx context.Context, _ reception.Term) error {
							close(running)
							<-ctx.Done()
							lost = time.Now()
							return nil
						})
				})
				s.closes(running, s.election(), "the work begins")
				next := b.campaign(election, "b").queued()
				thaw := a.freeze()
				next.elected(s.gone() + s.election())
				thaw()
				err, returned := receive(result, closeLimit+s.soon())
				if !returned {
					s.Fatal("RunWhileLeader has not returned")
				}
				s.is(err, reception.ErrNotLeader)
				s.run.gap(s.Name(), next.begun.Sub(lost))
			},
		},
	}
}

func electsAfterLoss(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	first, second := a.elector(election, "a"), b.elector(election, "b")
	for range 2 {
		s.won(s.elects(first), s.TTL+s.election())
		result := s.elects(second)
		heal := a.cut()
		s.won(result, s.gone()+s.election())
		if first.IsLeader() || first.Term() != nil {
			s.Error("two electors lead")
		}
		heal()
		again := s.elects(first)
		s.never(s.TTL, "the lead changes without a reason", func() bool { return !second.IsLeader() || first.IsLeader() })
		second.Cancel()
		s.won(again, s.step()+s.election())
		first.Cancel()
	}
}

func cancels(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	holder := a.leads(election, "a")
	elector := b.elector(election, "b")
	for range 3 {
		result := s.elects(elector)
		s.never(s.TTL/10, "a campaign is won that should wait", func() bool { return len(result) > 0 })
		elector.Cancel()
		err, returned := receive(result, s.soon())
		if !returned {
			s.Fatal("Elect has not returned after Cancel")
		}
		s.is(err, reception.ErrElectionCanceled)
	}
	ended := s.brief(s.TTL / 10)
	if err := elector.Elect(ended); !errors.Is(err, reception.ErrElectionCanceled) || !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("Elect whose context ends returns %v", err)
	}
	s.ok(holder.term.Resign(s.ctx()))
	s.won(s.elects(elector), s.TTL/2+s.election())
	term := elector.Term()
	elector.Cancel()
	if elector.IsLeader() || term.Held() {
		s.Error("after Cancel the elector leads")
	}
	s.is(term.Resign(s.ctx()), reception.ErrNotLeader)
	a.nobodyLeads(s.soon(), election)
	s.won(s.elects(elector), s.election())
}

func runsWhileLeader(s *scene) {
	a, b := s.pair()
	election := s.name("job")
	mistake := errors.New("a mistake of the work's")
	running, finish, result := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(s.ctx())
	defer cancel()
	s.start(func() {
		result <- reception.RunWhileLeader(ctx, a, election, s.service(election, "a"),
			func(ctx context.Context, term reception.Term) error {
				close(running)
				<-ctx.Done()
				<-finish // it takes its time
				if !term.Held() {
					s.Error("the lead is given up before the work has returned")
				}
				return mistake
			})
	})
	finishing := s.undo(func() { close(finish) }) // before the end of the work is waited for, if the case fails
	s.closes(running, s.election(), "the work begins")
	next := b.campaign(election, "b").queued()
	cancel()
	s.never(2*s.TTL, "another one leads while the work goes on", func() bool {
		select {
		case <-next.done:
			return true
		default:
			return false
		}
	})
	finishing()
	next.elected(s.election())
	err, returned := receive(result, s.soon())
	if !returned {
		s.Fatal("RunWhileLeader has not returned")
	}
	s.is(err, mistake)
}
