package conformance

import (
	"fmt"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// outageCases are about registrations as desired state: what happens to them while the backend cannot be reached.
func outageCases() []testCase {
	return []testCase{
		{
			rule: "R5", name: "a short outage loses nothing and is told to nobody",
			why:   "connections break all the time",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				told := a.told(service)
				for range 3 {
					heal := a.cut()
					b.keepsSeeing(s.TTL/8, service.Name, service)
					heal()
					b.keepsSeeing(2*s.TTL, service.Name, service)
				}
				told.none()
			},
		},
		{
			rule: "R5", name: "after an outage of half the TTL the record is there",
			why:   "at no length of an outage may something fall through",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				b.sees(s.soon(), service.Name, service)
				for range 3 {
					heal := a.cut()
					_ = sleep(s.ctx(), s.TTL/2)
					heal()
					b.sees(s.step()+s.soon(), service.Name, service)
					_ = sleep(s.ctx(), s.TTL) // until it is decided whether the session has survived
					b.keepsSeeing(s.TTL, service.Name, service)
				}
			},
		},
		{
			rule: "R5", name: "after an outage of twice the TTL everything is back",
			why:   "no user code brings back what an outage has taken",
			needs: []ability{canCut},
			play:  func(s *scene) { outlasts(s, (*member).cut, 2*s.TTL) },
		},
		{
			rule: "R5", name: "after an outage of twenty times the TTL everything is back",
			why:   "a registration is tried again for ever",
			needs: []ability{canCut},
			play:  func(s *scene) { outlasts(s, (*member).cut, 20*s.TTL) },
		},
		{
			rule: "R5", name: "after silence of twice the TTL everything is back",
			why:   "a connection that swallows everything must not be waited for for ever",
			needs: []ability{canFreeze},
			play:  func(s *scene) { outlasts(s, (*member).freeze, 2*s.TTL) },
		},
		{
			rule: "R5", name: "the warning comes before a reader can have lost the record",
			why:   "the owner wants to know before others act on its absence",
			needs: []ability{canFreeze},
			play:  func(s *scene) { warns(s, (*member).freeze) },
		},
		{
			rule: "R5", name: "the warning comes in time when calls are refused, too",
			why:   "however the backend is out of reach, the record lives no longer",
			needs: []ability{canCut},
			play:  func(s *scene) { warns(s, (*member).cut) },
		},
		{
			rule: "R5", name: "ten outages are told of ten times",
			why:   "the callback is armed again after each recovery",
			needs: []ability{canCut},
			play:  repeatedOutages,
		},
		{
			rule: "R5", name: "a session that has survived is told of by the warning only, and warned of again",
			why:   "in question is not lost, and the next outage is another one",
			needs: []ability{canCut, canExpireLate},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				told := a.told(service)
				s.cluster.ExpireLate(10 * s.TTL)
				for range 3 {
					heal := a.cut()
					told.next(s.gone(), reception.ErrDisconnected)
					heal()
					b.keepsSeeing(2*s.TTL, service.Name, service)
					told.none()
				}
				if n := len(a.confirmed(driver.OpOpenSession)); n != 1 {
					s.Errorf("%d sessions were opened", n)
				}
			},
		},
		{
			rule: "R5", name: "a session that is dropped is replaced at once",
			why:   "servers lose sessions, and administrators end them",
			needs: []ability{canExpire},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				told := a.told(service)
				a.expire()
				a.restores(1, s.TTL/2+s.step()+s.soon())
				b.sees(s.soon(), service.Name, service)
				s.eventually(s.soon(), "the owner is told", func() bool {
					return told.count(reception.ErrSessionExpired) == 1
				})
				b.keepsSeeing(2*s.TTL, service.Name, service)
				if n := told.count(reception.ErrSessionExpired); n != 1 {
					s.Errorf("the owner was told %d times", n)
				}
			},
		},
		{
			rule: "R5", name: "attempts during an outage are few and do not stop",
			why:   "a thousand clients that try again without a pause keep a backend down",
			needs: []ability{canCut},
			play:  attemptsAreBounded,
		},
		{
			rule: "R5", name: "many registrations share a session, also after an outage",
			why:   "a backend that returns must not be asked for a session by every instance",
			needs: []ability{canCut},
			play:  manyShareASession,
		},
		{
			rule: "R5", name: "a callback that panics or blocks harms nobody",
			why:   "a mistake in one callback must not cost the process its other registrations",
			needs: []ability{canExpire},
			play:  badCallbacks,
		},
		{
			rule: "R5", name: "what is restored is what was registered",
			why:   "Register copies its argument: changing it afterwards changes nothing",
			needs: []ability{canExpire},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				registered := changed(service, "copied")
				given := changed(service, "copied")
				a.register(given)
				given.Port, given.Attributes["changed"] = 1, "later"
				b.sees(s.soon(), service.Name, registered)
				a.expire()
				a.restores(1, s.TTL/2+s.step()+s.soon())
				b.sees(s.soon(), service.Name, registered)
			},
		},
	}
}

// outlasts has a member go through an outage that lasts that long.
func outlasts(s *scene, begin func(*member) (end func()), length time.Duration) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	told := a.told(service)
	b.sees(s.soon(), service.Name, service)
	end := begin(a)
	outage := time.Now()
	b.sees(s.gone(), service.Name)
	if left := length - time.Since(outage); left > 0 {
		b.keepsSeeing(left, service.Name)
	}
	told.next(s.soon(), reception.ErrDisconnected)
	end()
	b.sees(s.step()+s.soon(), service.Name, service)
	told.next(s.soon(), reception.ErrSessionExpired)
	b.keepsSeeing(2*s.TTL, service.Name, service)
	told.none()
}

// warns compares when the owner is warned with when another client loses sight of the record.
func warns(s *scene, begin func(*member) (end func())) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	told := a.told(service)
	b.keepsSeeing(s.TTL, service.Name, service)
	begin(a)
	earliest := a.horizon(driver.OpRenewSession)
	warned := told.next(s.gone(), reception.ErrDisconnected)
	if spare := earliest.Sub(warned); spare < s.Margin-s.Grace {
		s.Errorf("the warning came %v before the servers might drop the session, want at least %v", spare, s.Margin)
	}
	b.sees(s.gone(), service.Name)
	if lost := time.Now(); lost.Before(warned) {
		s.Errorf("a reader had lost the record %v before the warning", warned.Sub(lost))
	}
	told.none()
}

func repeatedOutages(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	told := a.told(service)
	b.sees(s.soon(), service.Name, service)
	for i := range 10 {
		heal := a.cut()
		told.next(s.gone(), reception.ErrDisconnected)
		b.sees(s.gone(), service.Name)
		heal()
		b.sees(s.step()+s.soon(), service.Name, service)
		a.restoresOn(i+1, s.step()+s.soon()) // an outage is over when its owner knows, too
		told.next(s.soon(), reception.ErrSessionExpired)
		told.none()
	}
}

func attemptsAreBounded(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	a.register(service)
	b.sees(s.soon(), service.Name, service)
	heal := a.cut()
	b.sees(s.gone(), service.Name)
	mark := a.mark()
	outage := 20 * s.TTL
	b.keepsSeeing(outage, service.Name)
	tries := make(map[string]int)
	for _, c := range a.after(mark) {
		tries[c.Operation.Name]++
	}
	for operation, n := range tries {
		if most := int(outage/(s.Backoff/2)) + 10; n > most {
			s.Errorf("%s was tried %d times in %v, want at most %d", operation, n, outage, most)
		}
	}
	if len(tries) == 0 {
		s.Errorf("nothing was tried in %v", outage)
	}
	heal()
	b.sees(s.step()+s.soon(), service.Name, service)
}

func manyShareASession(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	var services []*reception.Service
	for i := range 50 {
		services = append(services, s.service(name, fmt.Sprint(i)))
	}
	a.register(services...)
	if n := len(a.sent(driver.OpOpenSession)); n != 1 {
		s.Errorf("%d registrations have opened %d sessions", len(services), n)
	}
	b.sees(s.soon(), name, services...)
	heal := a.cut()
	b.sees(s.gone(), name)
	heal()
	b.sees(2*s.step()+s.soon(), name, services...)
	if n := len(a.confirmed(driver.OpOpenSession)); n != 2 {
		s.Errorf("after one outage %d registrations have opened %d sessions", len(services), n)
	}
	if n := len(a.confirmed(driver.OpRestore)); n > 2*len(services) {
		s.Errorf("%d records were restored by %d writes", len(services), n)
	}
}

func badCallbacks(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	panics, blocks, fine := s.service(name, "panics"), s.service(name, "blocks"), s.service(name, "fine")
	release := make(chan struct{})
	s.Cleanup(s.undo(func() { close(release) }))
	s.ok(a.Register(s.ctx(), panics, func(error) { panic("a mistake of the user's") }))
	s.ok(a.Register(s.ctx(), blocks, func(error) { <-release }))
	told := a.told(fine)
	for i := range 2 {
		a.expire()
		told.next(s.TTL/2+s.step()+s.soon(), reception.ErrSessionExpired)
		a.restores(3*i+3, s.step()+s.soon())
		b.sees(s.soon(), name, panics, blocks, fine)
	}
	b.keepsSeeing(2*s.TTL, name, panics, blocks, fine)
	told.none()
}
