package conformance

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// registerCases are about a first registration.
func registerCases() []testCase {
	return []testCase{
		{
			rule: "R1", name: "listed at once by the same client, soon by others",
			why: "a service that has registered may be told to others, who then look for it",
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				var registered []*reception.Service
				for i := range 10 {
					service := s.service(name, fmt.Sprint(i))
					a.register(service)
					registered = append(registered, service)
					a.seesAtOnce(name, registered...)
				}
				b.sees(s.soon(), name, registered...)
			},
		},
		{
			rule: "R1", name: "listed at once while a watch lags behind",
			why:   "a list that is served from a watch must not be older than the client's own writes",
			needs: []ability{canDelay},
			play:  listedDespiteLag,
		},
		{
			rule: "R1", name: "spi: readers that ask later see it",
			why: "a write that is confirmed before it shows makes a client contradict itself",
			play: func(s *scene) {
				d := s.direct()
				name := s.name("api")
				session, _ := d.session()
				for generation := uint64(1); generation <= 3; generation++ {
					instance := s.instance(name, "1", "me", generation)
					d.register(session, instance)
					if !d.holds(instance) {
						s.Fatalf("after Register of generation %d: %+v", generation, d.stored(name))
					}
				}
			},
		},
		{
			rule: "R1", name: "a failed registration leaves no desire",
			why: "who was told that it failed must not find it in a list later",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				restore := a.arm(driver.OpRegister, always, refused)
				s.is(a.Register(s.ctx(), service, nil), reception.ErrUnavailable)
				restore()
				s.is(a.Deregister(s.ctx(), service), reception.ErrNotRegistered)
				b.keepsSeeing(s.TTL, service.Name)
			},
		},
		{
			rule: "R1", name: "cut off, it fails by its context and leaves nothing",
			why:   "ctx bounds the wait, and what it ends is over",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				heal := a.cut()
				if err := a.Register(s.brief(s.TTL/10), service, nil); err == nil {
					s.Fatalf("Register succeeded while cut off")
				}
				heal()
				b.keepsSeeing(s.TTL+s.step(), service.Name)
				a.register(service)
				b.sees(s.soon(), service.Name, service)
			},
		},
		{
			rule: "R1", name: "what may have landed is removed again",
			why:  "after an unknown outcome nothing is desired, so nothing may stay",
			play: unknownOutcomeIsRemoved,
		},
		{
			rule: "R1", name: "a write that lands late is removed again",
			why:  "a request may be carried out long after its caller has given up",
			play: lateWriteIsRemoved,
		},
		{
			rule: "R1", name: "a refusal is told, not tried again",
			why: "wrong credentials are a mistake that somebody has to see",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				allow := a.arm(driver.OpRegister, always, denied)
				s.is(a.Register(s.ctx(), service, nil), reception.ErrPermission)
				if n := len(a.sent(driver.OpRegister)); n != 1 {
					s.Errorf("a refused registration was sent %d times", n)
				}
				allow()
				s.is(a.Deregister(s.ctx(), service), reception.ErrNotRegistered)
				b.keepsSeeing(s.TTL, service.Name)
			},
		},
		{
			rule: "R1", name: "the end of the context does not end the registration",
			why: "a context bounds the wait only",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				ctx, cancel := context.WithCancel(s.ctx())
				s.ok(a.Register(ctx, service, nil))
				cancel()
				b.sees(s.soon(), service.Name, service)
				b.keepsSeeing(2*s.TTL, service.Name, service)
			},
		},
		{
			rule: "R2", name: "a bad service is refused with field and rule",
			why:  "what works on one backend must work on all, so the client decides, before anything is sent",
			play: badServicesAreRefused,
		},
	}
}

func listedDespiteLag(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	s.cluster.Delay(s.TTL / 10)
	for _, m := range []*member{a, b} {
		w := m.watch(name)
		w.next(s.soon())
	}
	first, second := s.service(name, "1"), s.service(name, "2")
	a.register(first)
	a.seesAtOnce(name, first)
	a.register(second)
	a.seesAtOnce(name, first, second)
	a.deregister(first)
	a.seesAtOnce(name, second)
	b.sees(s.soon()+s.TTL/10, name, second)
}

func unknownOutcomeIsRemoved(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	w := b.watch(service.Name)
	w.next(s.soon())
	a.arm(driver.OpRegister, 1, lost)
	s.is(a.Register(s.ctx(), service, nil), reception.ErrOutcomeUnknown)
	b.sees(s.step()+s.soon(), service.Name)
	b.keepsSeeing(2*s.TTL, service.Name)
	s.is(a.Deregister(s.ctx(), service), reception.ErrNotRegistered)
}

func lateWriteIsRemoved(s *scene) {
	a, b := s.pair()
	other := s.service(s.name("other"), "1")
	a.register(other) // so that the session stays
	service := s.service(s.name("api"), "1")
	late := a.hold(driver.OpRegister)
	err := a.Register(s.brief(s.TTL/10), service, nil)
	s.is(err, context.DeadlineExceeded)
	b.keepsSeeing(s.TTL, service.Name)
	late.release()
	s.closes(late.arrived, s.soon(), "the late write arrives")
	b.sees(s.Propagation+s.soon(), service.Name)
	b.keepsSeeing(2*s.TTL, service.Name)
	a.seesAtOnce(other.Name, other)
}

func badServicesAreRefused(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	for _, bad := range badServices(s, name) {
		mark := a.mark()
		err := a.Register(s.ctx(), bad.service, nil)
		s.is(err, reception.ErrInvalidService)
		if !strings.Contains(err.Error(), bad.field) {
			s.Errorf("%s: the error does not name %s: %v", bad.what, bad.field, err)
		}
		if sent := a.after(mark); len(sent) > 0 {
			s.Errorf("%s: %s was sent", bad.what, sent[0].Operation.Name)
		}
	}
	b.seesAtOnce(name)
}
