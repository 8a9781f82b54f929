package conformance

import (
	"context"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// deregisterCases are about giving up registrations.
func deregisterCases() []testCase {
	return []testCase{
		{
			rule: "R8", name: "what is deregistered is gone at once and stays gone",
			why: "a process that shuts down wants no more requests",
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				service, other := s.service(name, "1"), s.service(name, "2")
				a.register(service, other)
				b.sees(s.soon(), name, service, other)
				a.deregister(service)
				a.seesAtOnce(name, other)
				b.sees(s.soon(), name, other)
				b.keepsSeeing(3*s.TTL, name, other)
			},
		},
		{
			rule: "R8", name: "what was not registered here is not deregistered",
			why: "a client withdraws what it has registered, and nothing else",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				s.is(a.Deregister(s.ctx(), service), reception.ErrNotRegistered)
				a.register(service)
				s.is(b.Deregister(s.ctx(), service), reception.ErrNotRegistered)
				b.sees(s.soon(), service.Name, service)
				a.deregister(&reception.Service{Name: service.Name, ID: service.ID}) // only these are read
				s.is(a.Deregister(s.ctx(), service), reception.ErrNotRegistered)
			},
		},
		{
			rule: "R8", name: "during an outage it is unavailable, and done when the backend returns",
			why:   "what was deregistered must not come back to life with the connection",
			needs: []ability{canCut},
			play:  func(s *scene) { deregisterDuring(s, (*member).cut, s.TTL/4) },
		},
		{
			rule: "R8", name: "during an outage that costs the session it is done all the same",
			why:   "restoring everything must not include what was given up meanwhile",
			needs: []ability{canCut},
			play:  func(s *scene) { deregisterDuring(s, (*member).cut, 2*s.TTL) },
		},
		{
			rule: "R8", name: "during silence it is unavailable, and done when the backend answers",
			why:   "a call that hangs must not keep the removal from being tried again",
			needs: []ability{canFreeze},
			play:  func(s *scene) { deregisterDuring(s, (*member).freeze, s.TTL/4) },
		},
		{
			rule: "R8", name: "the desire is dropped even if there is no time to wait",
			why: "shutting down with a context that has ended is common, and must not leave the record behind",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				b.sees(s.soon(), service.Name, service)
				ended, cancel := context.WithCancel(s.ctx())
				cancel()
				if err := a.Deregister(ended, service); err != nil {
					s.is(err, reception.ErrUnavailable)
				}
				b.sees(s.step()+s.soon(), service.Name)
				b.keepsSeeing(2*s.TTL, service.Name)
			},
		},
		{
			rule: "R8", name: "a removal whose answer is lost is confirmed by another one",
			why: "the caller wants to know that the record is gone, and the SDK can find out",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				a.arm(driver.OpDeregister, 1, lost)
				a.deregister(service)
				b.sees(s.soon(), service.Name)
			},
		},
		{
			rule: "R8", name: "a restoring that lands after the removal does not bring it back",
			why:   "a late write of ours may show for one propagation at the most",
			needs: []ability{canRemove},
			play:  lateRestore,
		},
		{
			rule: "R8", name: "what is registered again is not removed by an older removal",
			why: "the newest word of the owner counts",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				late := a.hold(driver.OpDeregister)
				s.is(a.Deregister(s.brief(s.TTL/10), service), reception.ErrUnavailable)
				again := changed(service, "again")
				a.register(again)
				late.release()
				s.closes(late.arrived, s.soon(), "the late removal arrives")
				b.sees(s.soon(), service.Name, again)
				b.keepsSeeing(2*s.TTL, service.Name, again)
				if n := len(a.confirmed(driver.OpRestore)); n > 0 {
					s.Errorf("the record was removed and had to be restored %d times", n)
				}
			},
		},
		{
			rule: "R8", name: "a callback may deregister",
			why:   "that is what many callbacks want to do",
			needs: []ability{canExpire},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				done := make(chan error, 1)
				s.ok(a.Register(s.ctx(), service, func(error) { done <- a.Deregister(s.ctx(), service) }))
				b.sees(s.soon(), service.Name, service)
				a.expire()
				err, called := receive(done, s.TTL+s.step()+s.soon())
				if !called {
					s.Fatal("Deregister in a callback has not returned")
				}
				s.ok(err)
				b.sees(s.soon(), service.Name)
				b.keepsSeeing(2*s.TTL, service.Name)
			},
		},
	}
}

// deregisterDuring deregisters one of two services some time into an outage.
func deregisterDuring(s *scene, begin func(*member) (end func()), outage time.Duration) {
	a, b := s.pair()
	name := s.name("api")
	service, other := s.service(name, "1"), s.service(name, "2")
	told := a.told(service)
	a.register(other)
	b.sees(s.soon(), name, service, other)
	end := begin(a)
	s.is(a.Deregister(s.brief(s.TTL/10), service), reception.ErrUnavailable)
	s.is(a.Deregister(s.brief(s.TTL/10), service), reception.ErrNotRegistered)
	s.never(outage, "the callback is called for what was given up", func() bool {
		return told.count(reception.ErrDisconnected)+told.count(reception.ErrSessionExpired) > 0
	})
	end()
	b.sees(s.step()+s.soon(), name, other)
	b.keepsSeeing(3*s.TTL, name, other)
	told.none()
}

func lateRestore(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	a.register(service)
	late := a.hold(driver.OpRestore)
	s.cluster.Remove(service.Name, service.ID)
	s.eventually(s.step()+s.soon(), "the loss is noticed", func() bool { return len(a.sent(driver.OpRestore)) > 0 })
	if err := a.Deregister(s.brief(s.TTL/10), service); err != nil {
		s.is(err, reception.ErrUnavailable)
	}
	b.keepsSeeing(s.TTL/2, service.Name)
	late.release()
	s.closes(late.arrived, s.soon(), "the late write arrives")
	b.sees(s.Propagation+s.soon(), service.Name)
	b.keepsSeeing(3*s.TTL, service.Name)
}
