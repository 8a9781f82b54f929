package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// repairCases are about records that are lost while the backend can be reached.
func repairCases() []testCase {
	return []testCase{
		{
			rule: "R6", name: "a record that is removed behind our back is restored",
			why:   "administrators and broken tools remove records, and nobody is there to notice but the owner",
			needs: []ability{canRemove},
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				service, other := s.service(name, "1"), s.service(name, "2")
				a.register(service, other)
				b.sees(s.soon(), name, service, other)
				for i := range 3 {
					s.cluster.Remove(name, service.ID)
					a.restores(i+1, s.step()+s.soon())
					b.sees(s.soon(), name, service, other)
				}
				b.keepsSeeing(2*s.TTL, name, service, other)
			},
		},
		{
			rule: "R6", name: "a record that is removed as soon as it is restored is restored again",
			why:   "a watch that has told of the loss has nothing to tell if the record comes and goes before it looks again",
			needs: []ability{canRemove},
			play:  removedAtOnce,
		},
		{
			rule: "R6", name: "an older write of ours that lands late is overwritten",
			why:  "the record is to say what was registered last, whatever a network delivers when",
			play: lateOlderWrite,
		},
		{
			rule: "R6", name: "after a wipe everything is back",
			why:   "a backend that lost its data is filled again by those who own it",
			needs: []ability{canWipe},
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				var services []*reception.Service
				for i := range 5 {
					services = append(services, s.service(name, fmt.Sprint(i)))
				}
				a.register(services[:3]...)
				b.register(services[3:]...)
				w := b.watch(name)
				w.healthy(s.soon(), services...)
				for i := range 2 {
					s.cluster.Wipe()
					a.restores(3*i+3, s.TTL/2+s.step()+s.soon())
					b.restores(2*i+2, s.TTL/2+s.step()+s.soon())
					a.sees(s.soon(), name, services...)
				}
				b.keepsSeeing(2*s.TTL, name, services...)
				w.unless(0, "not as it should be in the end", func(state *reception.ServiceState) bool {
					return !sameServices(state.Services, services)
				})
			},
		},
		{
			rule: "R6", name: "a session that is gone although it is confirmed is replaced",
			why:   "a server that cannot decide about a session may confirm it for long",
			needs: []ability{canHideExpiry, canExpire},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				s.cluster.HideExpiry(a.raw)
				a.expire()
				a.restores(1, s.TTL+s.step()+s.soon())
				b.sees(s.soon(), service.Name, service)
				b.keepsSeeing(2*s.TTL, service.Name, service)
			},
		},
		{
			rule: "R6", name: "steady state writes heartbeats and nothing else",
			why:  "thousands of idle instances must not cost a backend anything but their sessions",
			play: steadyState,
		},
		{
			rule: "R6", name: "a restored record is updated and removed like any other",
			why:   "healing must not lose track of what it has healed",
			needs: []ability{canRemove},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				s.cluster.Remove(service.Name, service.ID)
				a.restores(1, s.step()+s.soon())
				b.sees(s.soon(), service.Name, service)
				update := changed(service, "update")
				a.register(update)
				b.sees(s.soon(), service.Name, update)
				a.deregister(update)
				b.sees(s.soon(), service.Name)
				b.keepsSeeing(2*s.TTL, service.Name)
			},
		},
	}
}

func removedAtOnce(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	a.register(service)
	b.sees(s.soon(), service.Name, service)
	a.arm(driver.OpRestore, 1, func(ctx context.Context, invoke func(context.Context) (any, error)) (any, error) {
		result, err := invoke(ctx)
		if err == nil {
			s.cluster.Remove(service.Name, service.ID)
		}
		return result, err
	})
	s.cluster.Remove(service.Name, service.ID)
	const unseen = time.Second // which a client gives its watch, or a step where that is longer
	a.restores(2, unseen+2*s.step()+s.soon())
	b.sees(s.soon(), service.Name, service)
	b.keepsSeeing(s.TTL, service.Name, service)
}

func lateOlderWrite(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	a.register(service)
	late := a.hold(driver.OpRegister)
	if err := a.Register(s.brief(s.TTL/10), changed(service, "late"), nil); err == nil {
		s.Fatal("a registration that has not arrived has succeeded")
	}
	final := changed(service, "final")
	a.register(final)
	b.sees(s.soon(), service.Name, final)
	late.release()
	s.closes(late.arrived, s.soon(), "the late write arrives")
	b.sees(s.step()+s.soon(), service.Name, final)
	b.keepsSeeing(2*s.TTL, service.Name, final)
}

func steadyState(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	a.register(service)
	b.watch(service.Name).healthy(s.soon(), service)
	b.keepsSeeing(s.TTL, service.Name, service) // whatever follows a registration is over
	mark := a.mark()
	quiet := 5 * s.TTL
	b.keepsSeeing(quiet, service.Name, service)
	opened, ok := a.confirmed(driver.OpOpenSession)[0].response.(*driver.OpenSessionResponse)
	if !ok {
		s.Fatal("the session was opened with another response")
	}
	heartbeats := 0
	for _, c := range a.after(mark) {
		switch {
		case c.Operation == driver.OpRenewSession:
			heartbeats++
		case !c.Operation.Readonly:
			s.Errorf("%s was called while nothing happened", c.Operation.Name)
		}
	}
	if most := int(quiet/opened.RenewEvery) + 1; heartbeats > most {
		s.Errorf("%d heartbeats in %v, want at most %d", heartbeats, quiet, most)
	}
}
