package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// listCases are about lists of instances.
func listCases() []testCase {
	return []testCase{
		{
			rule: "L1", name: "an unknown name has no instances and is no error",
			why: "a service that is not there yet is no failure of the backend",
			play: func(s *scene) {
				a, b := s.pair()
				for _, m := range []*member{a, b} {
					services, err := m.ListServices(s.ctx(), s.name("unknown"))
					if err != nil || len(services) > 0 {
						s.Errorf("an unknown name: %s, %v", text(services), err)
					}
				}
				if stored := s.direct().stored(s.name("unknown")); len(stored) > 0 {
					s.Errorf("spi: an unknown name has %d records", len(stored))
				}
			},
		},
		{
			rule: "L2", name: "the oldest comes first",
			why:  "readers that pick by position must agree on it",
			play: listsInOrder,
		},
		{
			rule: "L2", name: "spi: lists and resets are in the order of creation",
			why:  "the order is the backend's to know",
			play: spiOrder,
		},
		{
			rule: "L3", name: "the caller owns what it gets",
			why: "what one caller does with its list must not show in another's",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				w := b.watch(service.Name)
				w.healthy(s.soon(), service)
				listed := b.list(service.Name)
				if len(listed) != 1 {
					s.Fatalf("the list is %s", text(listed))
				}
				listed[0].Port, listed[0].Address = 1, "changed.example.com"
				listed[0].Attributes["changed"] = "by the reader"
				listed[0] = nil
				b.seesAtOnce(service.Name, service)
				b.watch(service.Name).healthy(s.soon(), service)
				a.seesAtOnce(service.Name, service)
			},
		},
		{
			rule: "L4", name: "what is not healthy is not listed",
			why:   "readers want instances that answer",
			needs: []ability{canSicken},
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				sick, well := s.service(name, "sick"), s.service(name, "well")
				a.register(sick, well)
				b.sees(s.soon(), name, sick, well)
				s.cluster.Sicken(name, sick.ID)
				b.sees(s.gone(), name, well)
			},
		},
		{
			rule: "L4", name: "what has lost its session is not listed",
			why:   "a record that outlives its session would never leave",
			needs: []ability{canExpire, canCut},
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				service, well := s.service(name, "1"), s.service(name, "well")
				a.register(service)
				b.register(well)
				a.cut()
				a.expire()
				b.sees(s.soon(), name, well)
				b.keepsSeeing(s.TTL, name, well)
			},
		},
		{
			rule: "L5", name: "garbage is skipped",
			why:   "one broken record must not make a service unavailable",
			needs: []ability{canGarbage},
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				w := b.watch(service.Name)
				w.next(s.soon())
				s.cluster.Garbage(service.Name)
				a.register(service)
				b.sees(s.soon(), service.Name, service)
				w.healthy(s.soon(), service)
				if b.log.String() == "" {
					s.Error("nothing was logged")
				}
			},
		},
		{
			rule: "L5", name: "a well-formed record of another tool is listed",
			why:   "not everything in a cluster is registered by this SDK",
			needs: []ability{canForeign},
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				foreign, own := s.service(name, "foreign"), s.service(name, "own")
				w := b.watch(name)
				w.next(s.soon())
				s.cluster.Foreign(foreign)
				a.register(own)
				b.sees(s.soon(), name, foreign, own)
				w.healthy(s.soon(), foreign, own)
			},
		},
		{
			rule: "L6", name: "a list is as new as the client's own writes, with a watch or without",
			why:  "a client that contradicts itself is worse than a slow one",
			play: listsOwnWrites,
		},
		{
			rule: "L6", name: "without the backend a list is an error, not what was known once",
			why:   "a caller must be able to tell what is from what was",
			needs: []ability{canCut},
			play:  func(s *scene) { listsNothingOld(s, (*member).cut) },
		},
		{
			rule: "L6", name: "spi: revisions tell what a list and a stream have seen",
			why:  "a list may be served from a watch only if that has passed the client's own writes",
			play: spiRevisions,
		},
		{
			rule: "L6", name: "in silence a list is an error, not what was known once",
			why:   "a watch that hears nothing proves nothing",
			needs: []ability{canFreeze},
			play:  func(s *scene) { listsNothingOld(s, (*member).freeze) },
		},
	}
}

func listsInOrder(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	for i := range 10 {
		[]*member{a, b}[i%2].register(s.service(name, fmt.Sprintf("%d-%d", 9-i, i))) // not the order of the IDs
	}
	var services []*reception.Service
	s.eventually(s.soon(), "all instances show", func() bool {
		services = a.list(name)
		return len(services) == 10
	})
	want := idsOf(services)
	if !slices.IsSortedFunc(want, func(x, y string) int { return int(x[2]) - int(y[2]) }) {
		s.Fatalf("not in the order of creation: %v", want)
	}
	s.eventually(s.soon(), "others see the same order", func() bool { return slices.Equal(b.ids(name), want) })
	w := b.watch(name)
	if got := idsOf(w.next(s.soon()).Services); !slices.Equal(got, want) {
		s.Errorf("a watch shows %v, a list %v", got, want)
	}
	updated := changed(services[4], "update") // it may move to the end
	a.register(updated)
	w.until(s.soon(), "the order of the list", func(state *reception.ServiceState) bool {
		return len(state.Updated) == 1 && slices.Equal(idsOf(state.Services), a.ids(name))
	})
	without := func(ids []string) []string {
		return slices.DeleteFunc(ids, func(id string) bool { return id == updated.ID })
	}
	if got := a.ids(name); len(got) != 10 || !slices.Equal(without(got), without(want)) {
		s.Errorf("after an update of %s the order is %v", updated.ID, got)
	}
}

func spiOrder(s *scene) {
	d, e := s.direct(), s.direct()
	name := s.name("api")
	session, _ := d.session()
	var want []string
	for i := range 10 {
		id := fmt.Sprintf("%d-%d", 9-i, i)
		d.register(session, s.instance(name, id, "me", 1))
		want = append(want, id)
	}
	created := uint64(0)
	for i, instance := range d.stored(name) {
		if instance.Service.ID != want[i] || instance.Created <= created {
			s.Errorf("record %d of the list is %s, created %d after %d", i, instance.Service.ID, instance.Created, created)
		}
		created = instance.Created
	}
	var reset []string
	stream, err := e.OpenWatchService(s.ctx(), &driver.WatchServiceRequest{Name: name})
	s.ok(err)
	defer stream.Close()
	for len(reset) != len(want) { // a backend may lag behind by one propagation
		batch, err := stream.Next(s.brief(s.soon()))
		s.ok(err)
		if batch.Reset {
			reset = nil
		}
		for _, change := range batch.Changes {
			reset = append(reset, change.Record.Service.ID)
		}
	}
	if !slices.Equal(reset, want) {
		s.Errorf("a stream begins with %v, want %v", reset, want)
	}
}

func listsOwnWrites(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	service := s.service(name, "1")
	for _, watched := range []bool{false, true} {
		if watched {
			w := a.watch(name)
			s.start(func() { // a reader that is always ready
				for range w.states {
				}
			})
			s.Cleanup(w.watcher.Stop)
		}
		for i := range 25 {
			service = changed(service, fmt.Sprint(i))
			a.register(service)
			a.seesAtOnce(name, service)
			a.deregister(service)
			a.seesAtOnce(name)
		}
	}
	b.sees(s.soon(), name)
}

func listsNothingOld(s *scene, begin func(*member) (end func())) {
	a, b := s.pair()
	name := s.name("api")
	service := s.service(name, "1")
	b.register(service)
	w := a.watch(name)
	w.healthy(s.soon(), service)
	a.seesAtOnce(name, service)
	end := begin(a)
	b.deregister(service)
	refused := func() bool {
		services, err := a.ListServices(s.brief(s.TTL/20), name)
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			s.is(err, reception.ErrUnavailable)
		}
		return err != nil && services == nil
	}
	s.eventually(s.gone(), "the client stops vouching for what it has watched", refused)
	s.never(s.TTL, "a client that is out of reach lists something", func() bool { return !refused() })
	end()
	a.sees(s.step()+s.soon(), name)
}

func spiRevisions(s *scene) {
	d, e := s.direct(), s.direct()
	name := s.name("api")
	session, _ := d.session()
	w := e.watchService(name)
	last := uint64(0)
	grows := func(revision uint64, by string) {
		s.Helper()
		if revision <= last {
			s.Errorf("%s is revision %d, after %d", by, revision, last)
		}
		last = revision
	}
	for generation := uint64(1); generation <= 6; generation += 2 {
		grows(d.register(session, s.instance(name, "1", "me", generation)).Revision, "Register")
		restored, err := d.Restore(s.ctx(), &driver.RestoreRequest{
			Session: session, Instance: s.instance(name, "1", "me", generation+1),
		})
		s.ok(err)
		grows(restored.Revision, "Restore")
		listed, err := d.ListServices(s.ctx(), &driver.ListServicesRequest{Name: name})
		s.ok(err)
		if listed.Revision < last {
			s.Errorf("a list that shows revision %d says that it was read at %d", last, listed.Revision)
		}
		w.until(s.soon(), "the write shows", func(present map[string]*driver.Instance) bool {
			return present["1"] != nil && present["1"].Generation == generation+1
		})
		if w.cursor < last {
			s.Errorf("a stream that shows revision %d is at %d", last, w.cursor)
		}
	}
}
