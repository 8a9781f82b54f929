package conformance

import (
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// departureCases are about processes that die, and about sessions.
func departureCases() []testCase {
	return []testCase{
		{
			rule: "R7", name: "a dead process leaves every list",
			why:   "requests must not be sent to what is dead for longer than its TTL",
			needs: []ability{canFreeze},
			play: func(s *scene) {
				dead, b := s.pair()
				name := s.name("api")
				service, survivor := s.service(name, "dead"), s.service(name, "alive")
				dead.register(service)
				b.register(survivor)
				w := b.watch(name)
				w.healthy(s.soon(), service, survivor)
				dead.freeze()
				w.healthy(s.gone(), survivor)
				b.seesAtOnce(name, survivor)
				b.keepsSeeing(2*s.TTL, name, survivor)
			},
		},
		{
			rule: "R7", name: "servers that are late do not make it longer than they say",
			why:   "the limit includes the servers' own delay",
			needs: []ability{canFreeze, canExpireLate},
			play: func(s *scene) {
				dead, b := s.pair()
				service := s.service(s.name("api"), "1")
				dead.register(service)
				b.sees(s.soon(), service.Name, service)
				s.cluster.ExpireLate(s.TTL)
				dead.freeze()
				b.sees(s.gone()+s.TTL, service.Name)
				b.keepsSeeing(2*s.TTL, service.Name)
			},
		},
		{
			rule: "R7", name: "a living process never leaves",
			why: "heartbeats must come in time, also over a slow line",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				told := a.told(service)
				a.arm(driver.OpRenewSession, always, slow(s.TTL/10))
				b.keepsSeeing(10*s.TTL, service.Name, service)
				told.none()
			},
		},
		{
			rule: "R7", name: "a heartbeat that is lost now and then costs nothing",
			why: "the rhythm leaves room for another attempt",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				told := a.told(service)
				for range 5 {
					a.arm(driver.OpRenewSession, 1, refused)
					b.keepsSeeing(s.TTL, service.Name, service)
				}
				told.none()
			},
		},
		{
			rule: "R7", name: "spi: what lives on a session that nobody renews vanishes, all of it, not before its time",
			why:   "the time to live is what everything else is calculated from",
			needs: []ability{canFreeze},
			play:  spiExpiry,
		},
		{
			rule: "R7", name: "spi: a session that is gone says so",
			why:  "a client must learn that it has to start anew",
			play: spiGone,
		},
		{
			rule: "R7", name: "spi: closing a session removes what lives on it and nothing else",
			why:  "Close withdraws everything by one call",
			play: spiCloseSession,
		},
	}
}

func spiExpiry(s *scene) {
	d, e := s.direct(), s.direct()
	name, election := s.name("api"), s.name("job")
	kept, _ := e.session()
	e.register(kept, s.instance(name, "kept", "they", 1))
	dying, candidacy := d.open(), d.open().Session
	d.register(dying.Session, s.instance(name, "1", "me", 1))
	d.register(dying.Session, s.instance(name, "2", "me", 1))
	d.enqueue(candidacy, election, "1")
	s.eventually(s.soon(), "the records show", func() bool { return len(e.stored(name)) == 3 })
	good := d.renewed(dying)
	s.cluster.Freeze(d.raw) // whatever keeps the session alive, this ends it
	s.never(time.Until(good)-s.soon(), "a record vanishes before its session's time", func() bool {
		return len(e.stored(name)) != 3
	})
	s.eventually(s.gone(), "the records and the candidacy vanish", func() bool {
		_, err := e.GetLeader(s.ctx(), &driver.GetLeaderRequest{Election: election})
		return len(e.stored(name)) == 1 && err != nil
	})
	for _, left := range e.stored(name) {
		if left.Service.ID != "kept" {
			s.Errorf("what is left is %s", left.Service.ID)
		}
	}
}

func spiGone(s *scene) {
	d := s.direct()
	name := s.name("api")
	session := d.open().Session
	renewed, err := d.RenewSession(s.ctx(), &driver.RenewSessionRequest{Session: session})
	s.ok(err)
	if renewed.GoodFor <= 0 {
		s.Errorf("a renewal is good for %v", renewed.GoodFor)
	}
	for range 2 { // closing again is fine
		_, err = d.CloseSession(s.ctx(), &driver.CloseSessionRequest{Session: session})
		s.ok(err)
	}
	_, err = d.RenewSession(s.ctx(), &driver.RenewSessionRequest{Session: session})
	s.is(err, driver.ErrSessionExpired)
	instance := s.instance(name, "1", "me", 1)
	_, err = d.Register(s.ctx(), &driver.RegisterRequest{Session: session, Instance: instance})
	s.is(err, driver.ErrSessionExpired)
	s.is(d.restore(session, instance), driver.ErrSessionExpired)
	_, err = d.Enqueue(s.ctx(), &driver.EnqueueRequest{Session: session, Election: name, Service: instance.Service})
	s.is(err, driver.ErrSessionExpired)
	_, err = d.awaitTurn(s.ctx(), session, name)
	s.is(err, driver.ErrSessionExpired)
	s.is(d.confirm(session, name, 1), driver.ErrSessionExpired)
	if left := d.stored(name); len(left) > 0 {
		s.Errorf("a session that is gone has stored %+v", left[0])
	}
}

func spiCloseSession(s *scene) {
	d, e := s.direct(), s.direct()
	name := s.name("api")
	closing, stop := d.session()
	staying, _ := d.session()
	d.register(closing, s.instance(name, "1", "me", 1))
	moving := s.instance(name, "2", "me", 1)
	d.register(closing, moving)
	d.register(staying, s.instance(name, "3", "me", 1))
	moving.Generation = 2
	d.register(staying, moving) // it moves to the session of its latest write
	w := e.watchService(name)
	stop()
	_, err := d.CloseSession(s.ctx(), &driver.CloseSessionRequest{Session: closing})
	s.ok(err)
	w.until(s.soon(), "only what lived on the session leaves", func(present map[string]*driver.Instance) bool {
		return len(present) == 2 && present["2"] != nil && present["3"] != nil
	})
	if left := d.stored(name); len(left) != 2 {
		s.Errorf("after the session was closed %d records are left", len(left))
	}
}
