package conformance

import (
	"fmt"
	"sync"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// updateCases are about registering again on the same client.
func updateCases() []testCase {
	return []testCase{
		{
			rule: "R3", name: "registering again updates",
			why: "a service that changes says so by registering what it has become",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				other := s.service(service.Name, "2")
				a.register(service, other)
				update := changed(service, "update")
				a.register(update)
				a.seesAtOnce(service.Name, update, other)
				b.sees(s.soon(), service.Name, update, other)
				b.keepsSeeing(2*s.TTL, service.Name, update, other)
			},
		},
		{
			rule: "R3", name: "an update leaves no gap",
			why:  "a reader that looks in between would send its requests elsewhere, or nowhere",
			play: updatesWithoutGap,
		},
		{
			rule: "R3", name: "spi: an update of the same owner shows as one",
			why: "a watch that deletes and creates makes every reader drop its connections",
			play: func(s *scene) {
				d, e := s.direct(), s.direct()
				name := s.name("api")
				session, _ := d.session()
				d.register(session, s.instance(name, "1", "me", 1))
				s.eventually(s.soon(), "the record shows", func() bool { return len(e.stored(name)) == 1 })
				w := e.watchService(name)
				own := e.watchRegistration(name, "1")
				again := s.instance(name, "1", "me", 2)
				if displaced := d.register(session, again).Displaced; displaced != "" {
					s.Errorf("an update of one's own record has displaced %q", displaced)
				}
				for _, tail := range []*tail[driver.Instance]{w, own} {
					tail.until(s.soon(), "the update shows", func(present map[string]*driver.Instance) bool {
						if present["1"] == nil {
							s.Fatalf("the record is missing while it is updated")
						}
						return sameInstance(present["1"], &again)
					})
				}
			},
		},
		{
			rule: "R3", name: "an update that fails leaves what was there",
			why: "an update is no deregistration",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				b.sees(s.soon(), service.Name, service)
				restore := a.arm(driver.OpRegister, always, refused)
				s.is(a.Register(s.ctx(), changed(service, "refused"), nil), reception.ErrUnavailable)
				restore()
				b.keepsSeeing(2*s.TTL, service.Name, service)
			},
		},
		{
			rule: "R3", name: "an update of unknown outcome is taken back",
			why: "who was told that an update failed expects the old content, and the record must not vanish either",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				a.arm(driver.OpRegister, 1, lost)
				s.is(a.Register(s.ctx(), changed(service, "lost"), nil), reception.ErrOutcomeUnknown)
				b.sees(s.step()+s.soon(), service.Name, service)
				b.keepsSeeing(2*s.TTL, service.Name, service)
			},
		},
		{
			rule: "R3", name: "concurrent updates end in one of them, everywhere the same",
			why:  "two goroutines of a process that update one instance must not fight for ever",
			play: concurrentUpdates,
		},
	}
}

func updatesWithoutGap(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	a.register(service)
	w := b.watch(service.Name)
	w.healthy(s.soon(), service)
	for i := range 20 {
		service = changed(service, fmt.Sprint(i))
		a.register(service)
		if listed := b.ids(service.Name); len(listed) != 1 {
			s.Fatalf("during updates the list is %v", listed)
		}
		state := w.until(s.soon(), "the update", func(state *reception.ServiceState) bool {
			if len(state.Services) != 1 || len(state.Removed) > 0 {
				s.Fatalf("during updates: %s", describe(state))
			}
			return same(state.Services[0], service)
		})
		if len(state.Updated) != 1 || len(state.Added) > 0 {
			s.Fatalf("an update that is not called one: %s", describe(state))
		}
	}
}

func concurrentUpdates(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	a.register(service)
	var updates sync.WaitGroup
	for i := range 8 {
		updates.Go(func() {
			if err := a.Register(s.ctx(), changed(service, fmt.Sprint(i)), nil); err != nil {
				s.Errorf("a concurrent update failed: %v", err)
			}
		})
	}
	updates.Wait()
	final := a.list(service.Name)
	if len(final) != 1 || final[0].Attributes["changed"] == "" {
		s.Fatalf("after concurrent updates: %s", text(final))
	}
	b.sees(s.soon(), service.Name, final...)
	b.keepsSeeing(2*s.TTL, service.Name, final...)
}
