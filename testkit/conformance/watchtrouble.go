package conformance

import (
	"fmt"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// watchTroubleCases are about watches while things go wrong.
func watchTroubleCases() []testCase {
	return []testCase{
		{
			rule: "W4", name: "an outage is told, with what was known, and ends by itself",
			why:   "a reader must be able to tell that nothing changes from that nothing is heard",
			needs: []ability{canCut},
			play:  outageIsTold,
		},
		{
			rule: "W4", name: "the first healthy state after an error comes, also when nothing has changed",
			why:   "a reader that was told of trouble waits to be told of its end",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				w := b.watch(service.Name)
				w.healthy(s.soon(), service)
				for range 3 {
					heal := b.cut()
					w.troubled(s.gone())
					heal()
					w.healthy(s.step()+s.soon(), service)
				}
				w.silent(s.TTL)
			},
		},
		{
			rule: "W4", name: "a watch that starts without the backend says so and recovers",
			why:   "Start does not wait for the backend, so trouble is told like any other",
			needs: []ability{canCut},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				heal := b.cut()
				w := b.watch(service.Name)
				if first := w.next(s.gone()); first.Err == nil || len(first.Services) > 0 {
					s.Errorf("a watch that cannot be opened begins with %s", describe(first))
				}
				heal()
				w.healthy(s.step()+s.soon(), service)
			},
		},
		{
			rule: "W4", name: "what changed during an outage is told in one healthy state",
			why:   "a resumed watch must not have missed anything, deletions least of all",
			needs: []ability{canCut},
			play:  changesDuringOutage,
		},
		{
			rule: "W4", name: "after silence the watch is right again",
			why:   "a connection that has swallowed changes must not leave a reader behind",
			needs: []ability{canFreeze},
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				stays, leaves, comes := s.service(name, "1"), s.service(name, "2"), s.service(name, "3")
				a.register(stays, leaves)
				w := b.watch(name)
				w.healthy(s.soon(), stays, leaves)
				thaw := b.freeze()
				a.deregister(leaves)
				a.register(comes)
				w.unless(s.TTL, "healthy and not what was there", func(state *reception.ServiceState) bool {
					return state.Err == nil && !sameServices(state.Services, []*reception.Service{stays, leaves})
				})
				thaw()
				w.healthy(s.step()+s.soon(), stays, comes)
			},
		},
		{
			rule: "W4", name: "fifty broken streams lose nothing and double nothing",
			why:  "an error must never look like an empty or a partial state",
			play: brokenStreams,
		},
		{
			rule: "W4", name: "compaction while a watch is away",
			why:   "history that is gone is made up for by a new list, deletions included",
			needs: []ability{canCut, canCompact},
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				stays, leaves, comes := s.service(name, "1"), s.service(name, "2"), s.service(name, "3")
				a.register(stays, leaves)
				w := b.watch(name)
				w.healthy(s.soon(), stays, leaves)
				heal := b.cut()
				a.deregister(leaves)
				a.register(comes)
				s.cluster.Compact()
				heal()
				w.healthy(s.step()+s.soon(), stays, comes)
				s.cluster.Compact()
				a.deregister(comes)
				w.healthy(s.soon(), stays)
			},
		},
		{
			rule: "W4", name: "a wipe is followed to the end",
			why:   "revisions that begin anew must not make a watch deaf",
			needs: []ability{canWipe},
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				one, two := s.service(name, "1"), s.service(name, "2")
				a.register(one)
				w := b.watch(name)
				w.healthy(s.soon(), one)
				s.cluster.Wipe()
				a.restores(1, s.TTL/2+s.step()+s.soon())
				a.register(two)
				w.healthy(s.soon(), one, two)
				a.deregister(one)
				w.healthy(s.soon(), two)
			},
		},
		{
			rule: "W4", name: "a refusal is told as one and the watch goes on",
			why: "credentials are repaired while processes run",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				allow := b.arm(driver.OpWatchService, always, denied)
				w := b.watch(service.Name)
				s.is(w.troubled(s.soon()).Err, reception.ErrPermission)
				allow()
				w.healthy(s.step()+s.soon(), service)
			},
		},
		{
			rule: "W4", name: "a lost session of the reader's own changes nothing for its watches",
			why:   "registrations and watches fail apart",
			needs: []ability{canExpire},
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				service, own := s.service(name, "1"), s.service(name, "own")
				a.register(service)
				b.register(own)
				w := b.watch(name)
				w.healthy(s.soon(), service, own)
				b.expire()
				b.restores(1, s.TTL/2+s.step()+s.soon())
				a.sees(s.soon(), name, service, own)
				a.deregister(service)
				w.healthy(s.soon(), own)
			},
		},
	}
}

func outageIsTold(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	a.register(service)
	w := b.watch(service.Name)
	w.healthy(s.soon(), service)
	heal := b.cut()
	if state := w.troubled(s.gone()); !sameServices(state.Services, []*reception.Service{service}) {
		s.Errorf("trouble comes without what was known: %s", describe(state))
	}
	s.is(w.seen.Err, reception.ErrUnavailable)
	w.unless(2*s.TTL, "healthy, or without what was known", func(state *reception.ServiceState) bool {
		return state.Err == nil || !sameServices(state.Services, []*reception.Service{service})
	})
	heal()
	w.healthy(s.step()+s.soon(), service)
}

func changesDuringOutage(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	stays, leaves := s.service(name, "stays"), s.service(name, "leaves")
	changes, comes := s.service(name, "changes"), s.service(name, "comes")
	a.register(stays, leaves, changes)
	w := b.watch(name)
	w.healthy(s.soon(), stays, leaves, changes)
	heal := b.cut()
	w.troubled(s.gone())
	a.deregister(leaves)
	update := changed(changes, "during the outage")
	a.register(update, comes)
	heal()
	state := w.until(s.step()+s.soon(), "no error", func(state *reception.ServiceState) bool { return state.Err == nil })
	if s.Propagation == 0 && !sameServices(state.Services, []*reception.Service{stays, update, comes}) {
		s.Errorf("the first healthy state after the outage is partial: %s", describe(state))
	}
	if !sameServices(state.Services, []*reception.Service{stays, update, comes}) {
		w.healthy(s.soon(), stays, update, comes)
	}
}

func brokenStreams(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	stays := s.service(name, "stays")
	a.register(stays)
	w := b.watch(name)
	w.healthy(s.soon(), stays)
	missing := func(state *reception.ServiceState) bool {
		for _, service := range state.Services {
			if same(service, stays) {
				return false
			}
		}
		return true
	}
	churns := s.service(name, "churns")
	for i := range 50 {
		b.armNext(driver.OpWatchService, 1, refused) // after the next batch, or right after the stream was opened
		if i%3 == 0 {
			b.arm(driver.OpWatchService, 1, refused)
		}
		churns = changed(churns, fmt.Sprint(i))
		a.register(churns)
		want := []*reception.Service{stays, churns}
		if i%2 == 1 { // so that what is wanted differs from what was seen last, even if nothing in between is seen
			a.deregister(churns)
			want = want[:1]
		}
		w.until(2*s.step()+s.soon(), text(want), func(state *reception.ServiceState) bool {
			if missing(state) {
				s.Fatalf("an instance that has always been there is missing: %s", describe(state))
			}
			return state.Err == nil && sameServices(state.Services, want)
		})
	}
	if broken := len(b.sent(driver.OpWatchService)); broken < 25 {
		s.Errorf("only %d streams were opened", broken)
	}
	w.unless(s.TTL, "not as it should be", func(state *reception.ServiceState) bool {
		return !sameServices(state.Services, []*reception.Service{stays, churns})
	})
}
