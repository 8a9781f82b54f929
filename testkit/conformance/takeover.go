package conformance

import (
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// takeoverCases are about two clients that register the same instance.
func takeoverCases() []testCase {
	return []testCase{
		{
			rule: "R4", name: "the newest registration wins and stays",
			why:  "a restarted process must not wait for its own ghost, and the loser must not fight back",
			play: newestWins,
		},
		{
			rule: "R4", name: "every record says whose it is and which of its writes made it",
			why: "repair and removal can only be conditional on what is stored",
			play: func(s *scene) {
				a, b := s.pair()
				d := s.direct()
				name := s.name("api")
				service := s.service(name, "1")
				a.register(service, s.service(name, "2"))
				b.register(s.service(name, "3"))
				var first []*driver.Instance
				s.eventually(s.soon(), "the records show", func() bool {
					first = d.stored(name)
					return len(first) == 3
				})
				if owner := first[0].Owner; owner == "" || first[1].Owner != owner || first[2].Owner == owner {
					s.Errorf("the owners of two clients' records are %q, %q and %q", owner, first[1].Owner, first[2].Owner)
				}
				a.register(changed(service, "update"))
				s.eventually(s.soon(), "the update is of a later generation", func() bool {
					for _, record := range d.stored(name) {
						if record.Service.ID == "1" && record.Generation > first[0].Generation {
							return record.Owner == first[0].Owner
						}
					}
					return false
				})
			},
		},
		{
			rule: "R4", name: "the loser may win again, by registering again",
			why: "a take-over is what the last explicit Register says",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				first := a.told(service)
				second := b.told(changed(service, "b"))
				first.next(s.step()+s.soon(), reception.ErrReplaced)
				third := a.told(changed(service, "a again"))
				second.next(s.step()+s.soon(), reception.ErrReplaced)
				b.sees(s.soon(), service.Name, changed(service, "a again"))
				b.keepsSeeing(2*s.TTL, service.Name, changed(service, "a again"))
				first.none()
				third.none()
			},
		},
		{
			rule: "R4", name: "the loser's removal and end leave the winner alone",
			why: "a process that shuts down late must not take its successor out of the lists",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				told := a.told(service)
				winner := changed(service, "b")
				b.register(winner)
				told.next(s.step()+s.soon(), reception.ErrReplaced)
				s.is(a.Deregister(s.ctx(), service), reception.ErrNotRegistered)
				b.seesAtOnce(service.Name, winner)
				s.ok(a.Close())
				b.keepsSeeing(2*s.TTL, service.Name, winner)
			},
		},
		{
			rule: "R4", name: "the ghost's session takes nothing with it",
			why:   "the record lives on the winner's session from the moment it wins",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				a.cut() // it never comes back
				winner := changed(service, "restarted")
				b.register(winner)
				b.seesAtOnce(service.Name, winner)
				b.keepsSeeing(s.gone()+s.TTL, service.Name, winner)
			},
		},
		{
			rule: "R4", name: "who comes back finds itself replaced",
			why:   "healing stops at a foreign record, however long it was out of reach",
			needs: []ability{canCut},
			play:  comesBackReplaced,
		},
		{
			rule: "R4", name: "a removal that was under way spares the winner",
			why: "removal is conditional on the owner, also when it arrives after the take-over",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				late := a.hold(driver.OpDeregister)
				s.is(a.Deregister(s.brief(s.TTL/10), service), reception.ErrUnavailable)
				winner := changed(service, "b")
				b.register(winner)
				late.release()
				s.closes(late.arrived, s.soon(), "the late removal arrives")
				b.keepsSeeing(2*s.TTL, service.Name, winner)
			},
		},
		{
			rule: "R4", name: "a restoring that was under way spares the winner",
			why:   "repair is conditional on the owner, also when it arrives after the take-over",
			needs: []ability{canRemove},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				told := a.told(service)
				late := a.hold(driver.OpRestore)
				s.cluster.Remove(service.Name, service.ID)
				s.eventually(s.step()+s.soon(), "the loss is noticed", func() bool {
					return len(a.sent(driver.OpRestore)) > 0
				})
				winner := changed(service, "b")
				b.register(winner)
				late.release()
				told.next(s.step()+s.soon(), reception.ErrReplaced)
				b.keepsSeeing(2*s.TTL, service.Name, winner)
			},
		},
		{
			rule: "R4", name: "spi: Register replaces and says whom",
			why:  "whoever is displaced is displaced at once, by everybody's account",
			play: spiRegisterReplaces,
		},
		{
			rule: "R4", name: "spi: Restore writes what is absent or an earlier own one, nothing else",
			why:  "healing that overwrites a foreign or newer record undoes what somebody was promised",
			play: spiRestore,
		},
		{
			rule: "R4", name: "spi: Deregister removes up to its owner and generation",
			why:  "a removal that was overtaken by a newer registration must not undo it",
			play: spiDeregister,
		},
	}
}

func newestWins(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	bystander := s.service(service.Name, "2")
	told := a.told(service)
	a.register(bystander)
	winner := changed(service, "b")
	won := b.told(winner)
	mark := a.mark()
	b.seesAtOnce(service.Name, winner, bystander)
	told.next(s.step()+s.soon(), reception.ErrReplaced)
	a.sees(s.soon(), service.Name, winner, bystander)
	b.keepsSeeing(3*s.TTL, service.Name, winner, bystander)
	if told.none(); told.count(reception.ErrReplaced) != 1 {
		s.Errorf("the displaced client was told %d times", told.count(reception.ErrReplaced))
	}
	won.none()
	// One attempt at healing is how a displaced client may find out.
	if tries := len(a.filter(mark, func(c *call) bool {
		return c.Operation == driver.OpRestore || c.Operation == driver.OpRegister
	})); tries > 2 {
		s.Errorf("the displaced client has tried to write %d times", tries)
	}
}

func comesBackReplaced(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	bystander := s.service(service.Name, "2")
	told := a.told(service)
	a.register(bystander)
	heal := a.cut()
	b.sees(s.gone(), service.Name)
	winner := changed(service, "b")
	b.register(winner)
	heal()
	s.eventually(s.step()+s.soon(), "the displaced client is told", func() bool {
		return told.count(reception.ErrReplaced) == 1
	})
	b.sees(s.step()+s.soon(), service.Name, winner, bystander)
	b.keepsSeeing(2*s.TTL, service.Name, winner, bystander)
	if n := told.count(reception.ErrReplaced); n != 1 {
		s.Errorf("the displaced client was told %d times", n)
	}
}

func spiRegisterReplaces(s *scene) {
	d, e := s.direct(), s.direct()
	name := s.name("api")
	mine, _ := d.session()
	theirs, _ := e.session()
	d.register(mine, s.instance(name, "1", "me", 7))
	own := d.watchRegistration(name, "1")
	winner := s.instance(name, "1", "they", 1)
	if displaced := e.register(theirs, winner).Displaced; displaced != "me" {
		s.Errorf("Register says that it has displaced %q, want the owner me", displaced)
	}
	if !e.holds(winner) {
		s.Fatalf("after the take-over: %+v", e.stored(name))
	}
	own.until(s.soon(), "the loser's watch shows the winner", func(present map[string]*driver.Instance) bool {
		return present["1"] != nil && sameInstance(present["1"], &winner)
	})
	_, err := d.CloseSession(s.ctx(), &driver.CloseSessionRequest{Session: mine})
	s.ok(err)
	s.never(s.soon(), "the winner's record went with the loser's session", func() bool { return !e.holds(winner) })
}

func spiRestore(s *scene) {
	d, e := s.direct(), s.direct()
	name := s.name("api")
	mine, _ := d.session()
	theirs, _ := e.session()
	second := s.instance(name, "1", "me", 2)
	s.ok(d.restore(mine, second)) // absent
	if !d.holds(second) {
		s.Fatalf("after Restore of what was absent: %+v", d.stored(name))
	}
	third := s.instance(name, "1", "me", 3)
	s.ok(d.restore(mine, third)) // an earlier one of the same owner
	s.ok(d.restore(mine, third)) // the same
	if !d.holds(third) {
		s.Fatalf("after Restore of a newer generation: %+v", d.stored(name))
	}
	s.is(d.restore(mine, second), driver.ErrReplaced)
	if !d.holds(third) {
		s.Fatalf("after Restore of an older generation: %+v", d.stored(name))
	}
	foreign := s.instance(name, "1", "they", 1)
	s.is(e.restore(theirs, foreign), driver.ErrReplaced)
	if !d.holds(third) {
		s.Fatalf("after Restore over a foreign record: %+v", d.stored(name))
	}
	e.register(theirs, foreign)
	s.is(d.restore(mine, s.instance(name, "1", "me", 4)), driver.ErrReplaced)
	if !e.holds(foreign) {
		s.Fatalf("after Restore over the winner's record: %+v", e.stored(name))
	}
}

func spiDeregister(s *scene) {
	d, e := s.direct(), s.direct()
	name := s.name("api")
	session, _ := d.session()
	kept := s.instance(name, "1", "me", 5)
	d.register(session, kept)
	for _, refused := range []struct {
		what       string
		id, owner  string
		generation uint64
	}{
		{"of another owner", "1", "they", 5},
		{"of an earlier generation", "1", "me", 4},
		{"of another instance", "2", "me", 5},
	} {
		if e.remove(name, refused.id, refused.owner, refused.generation) {
			s.Errorf("a removal %s says that it has removed something", refused.what)
		}
		if !d.holds(kept) {
			s.Fatalf("after a removal %s: %+v", refused.what, d.stored(name))
		}
	}
	if !d.remove(name, "1", "me", 5) {
		s.Error("the owner's removal says that there was nothing to remove")
	}
	if left := d.stored(name); len(left) > 0 {
		s.Fatalf("after the owner's removal: %+v", left)
	}
	if d.remove(name, "1", "me", 5) {
		s.Error("a second removal says that there was something to remove")
	}
	again := s.instance(name, "1", "me", 6)
	d.register(session, again)
	if !d.remove(name, "1", "me", 9) {
		s.Error("a removal of all generations up to a later one removes nothing")
	}
}
