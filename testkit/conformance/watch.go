package conformance

import (
	"fmt"
	"math/rand/v2"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// watchCases are about what a watch delivers while all is well.
func watchCases() []testCase {
	return []testCase{
		{
			rule: "W1", name: "the first state is the present one, also when empty",
			why: "a reader that waits for the first state must not wait for the first change",
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				early := b.watch(name)
				if first := early.next(s.soon()); first.Err != nil || len(first.Services) > 0 {
					s.Errorf("the first state of an unknown name: %s", describe(first))
				}
				services := []*reception.Service{s.service(name, "1"), s.service(name, "2")}
				a.register(services...)
				early.healthy(s.soon(), services...)
				for _, m := range []*member{a, b} { // b has a watch already, which the new one joins
					first := m.watch(name).next(s.soon())
					if first.Err != nil || !sameServices(first.Services, services) || len(first.Added) != 2 {
						s.Errorf("the first state: %s", describe(first))
					}
				}
			},
		},
		{
			rule: "W1", name: "spi: a stream begins with what is there, also when empty",
			why: "whoever opens a stream knows nothing, and must be told that nothing is there, too",
			play: func(s *scene) {
				d, e := s.direct(), s.direct()
				name := s.name("api")
				none := func(present map[string]*driver.Instance) bool { return len(present) == 0 }
				e.watchService(name).until(0, "nothing is there", none)
				e.watchRegistration(name, "1").until(0, "nothing is there", none)
				session, _ := d.session()
				d.register(session, s.instance(name, "1", "me", 1))
				d.register(session, s.instance(name, "2", "me", 1))
				e.watchService(name).until(s.soon(), "both are there", func(present map[string]*driver.Instance) bool {
					return len(present) == 2
				})
				e.watchRegistration(name, "2").until(s.soon(), "one is there", func(present map[string]*driver.Instance) bool {
					return len(present) == 1 && present["2"] != nil
				})
			},
		},
		{
			rule: "W2", name: "every state that lasts arrives, down to zero",
			why:  "that nobody is left is the most important news of all",
			play: everyStateArrives,
		},
		{
			rule: "W2", name: "spi: every change arrives, those of others' names do not",
			why:  "a stream that misses a change is wrong for ever",
			play: spiEveryChange,
		},
		{
			rule: "W3", name: "states compose, whatever the reader's pace",
			why:  "a reader that keeps count by the changes must end up with the services",
			play: statesCompose,
		},
		{
			rule: "W3", name: "a slow reader gets the latest, and holds up nobody",
			why:  "one that does not read must not cost the others anything",
			play: slowReader,
		},
		{
			rule: "W3", name: "what changed back is not told",
			why: "a state that equals the one before makes readers work for nothing",
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				stays, comes := s.service(name, "stays"), s.service(name, "comes")
				a.register(stays)
				slow, quick := b.watch(name), b.watch(name)
				slow.healthy(s.soon(), stays)
				quick.healthy(s.soon(), stays)
				a.register(comes)
				quick.healthy(s.soon(), stays, comes)
				a.deregister(comes)
				quick.healthy(s.soon(), stays)
				slow.silent(s.TTL)
				a.register(comes)
				slow.healthy(s.soon(), stays, comes)
			},
		},
		{
			rule: "W3", name: "healing that readers have not noticed is not told",
			why: "the same content on a new session is no news",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				w := b.watch(service.Name)
				w.healthy(s.soon(), service)
				a.register(service) // the same content, another generation
				b.register(service) // another owner
				w.silent(s.TTL)
			},
		},
	}
}

func everyStateArrives(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	readers := []*reader{a.watch(name), b.watch(name), b.watch(name)}
	arrives := func(services ...*reception.Service) {
		s.Helper()
		for _, r := range readers {
			r.healthy(s.soon(), services...)
		}
	}
	arrives()
	one, two := s.service(name, "1"), s.service(name, "2")
	for range 3 {
		a.register(one)
		arrives(one)
		b.register(two)
		arrives(one, two)
		update := changed(one, "update")
		a.register(update)
		arrives(update, two)
		a.deregister(one)
		arrives(two)
		b.deregister(two)
		arrives()
	}
}

func spiEveryChange(s *scene) {
	d, e := s.direct(), s.direct()
	name := s.name("api")
	neighbour := name + "2" // of which name is a prefix
	session, _ := d.session()
	w, one := e.watchService(name), e.watchRegistration(name, "1")
	d.register(session, s.instance(neighbour, "1", "me", 1))
	for generation := uint64(1); generation <= 10; generation++ {
		d.register(session, s.instance(name, "1", "me", generation))
		d.register(session, s.instance(name, "2", "me", generation))
		d.remove(name, "2", "me", generation)
		arrived := func(present map[string]*driver.Instance) bool {
			return len(present) == 1 && present["1"] != nil && present["1"].Generation == generation
		}
		w.until(s.soon(), "the change shows", arrived)
		one.until(s.soon(), "the change of one shows", arrived)
	}
	d.remove(name, "1", "me", 10)
	none := func(present map[string]*driver.Instance) bool { return len(present) == 0 }
	w.until(s.soon(), "nothing is left", none)
	one.until(s.soon(), "nothing is left of one", none)
}

func statesCompose(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	random := rand.New(rand.NewPCG(1, 2))
	readers := []*reader{b.watch(name), b.watch(name), a.watch(name)}
	present := make(map[string]*reception.Service)
	for step := range 150 {
		id := fmt.Sprint(random.IntN(6))
		switch service := present[id]; {
		case service != nil && random.IntN(2) == 0:
			a.deregister(service)
			delete(present, id)
		default:
			present[id] = changed(s.service(name, id), fmt.Sprint(step))
			a.register(present[id])
		}
		for pace, r := range readers { // the first is always ready, the others now and then
			if random.IntN(1+5*pace) == 0 {
				if state, ok := receive(r.states, s.poll()); ok {
					r.take(state)
				}
			}
		}
	}
	for _, r := range readers {
		if state := r.seen; state == nil || !sameServices(state.Services, values(present)) {
			r.healthy(s.soon(), values(present)...)
		}
		r.silent(s.soon() - s.Grace)
	}
}

func slowReader(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	slow, quick := b.watch(name), b.watch(name)
	slow.next(s.soon())
	quick.next(s.soon())
	service := s.service(name, "1")
	for i := range 200 {
		service = changed(service, fmt.Sprint(i))
		a.register(service)
	}
	quick.healthy(s.soon(), service)
	other := s.service(s.name("other"), "1")
	w := b.watch(other.Name)
	a.register(other)
	w.healthy(s.soon(), other)
	// A state may be in the reader's hand, and no more than that.
	if state := slow.next(s.soon()); state.Revision < quick.seen.Revision {
		s.Errorf("a reader that was slow gets %s, and the latest is %s", describe(state), describe(quick.seen))
	}
	slow.silent(s.soon() - s.Grace)
}

func values(byID map[string]*reception.Service) []*reception.Service {
	services := make([]*reception.Service, 0, len(byID))
	for _, service := range byID {
		services = append(services, service)
	}
	return services
}
