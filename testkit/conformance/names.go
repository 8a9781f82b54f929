package conformance

import (
	"slices"

	"github.com/go-reception/sdk/reception/driver"
)

// namesCases are about lists of names, and about the identity of instances.
func namesCases() []testCase {
	return []testCase{
		{
			rule: "L7", name: "every name with a live instance is there, once, sorted",
			why:  "who looks for what there is must not miss anything",
			play: listsNames,
		},
		{
			rule: "L7", name: "elections and helpers are no names",
			why: "a campaign must not look like a service",
			play: func(s *scene) {
				a, b := s.pair()
				election, name := s.name("job"), s.name("api")
				a.leads(election, "a")
				b.campaign(election, "b").queued()
				a.register(s.service(name, "1"))
				s.eventually(s.soon(), "the name shows", func() bool { return b.names(name) })
				mine := func() int {
					n := 0
					for _, shown := range b.allNames() {
						if len(shown) >= len(s.namespace) && shown[len(shown)-len(s.namespace):] == s.namespace {
							n++
						}
					}
					return n
				}
				s.never(s.TTL, "an election shows as a name", func() bool { return b.names(election) || mine() != 1 })
			},
		},
		{
			rule: "L7", name: "a name that comes back is there again",
			why: "names are emptied and filled all the time, and one that is filled must not be missed",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				for range 5 {
					a.register(service)
					s.eventually(s.soon(), "the name shows", func() bool { return b.names(service.Name) })
					a.deregister(service)
				}
				a.register(service)
				s.eventually(s.soon(), "the name shows", func() bool { return b.names(service.Name) })
				s.never(2*s.TTL, "the name is missing", func() bool { return !b.names(service.Name) })
			},
		},
		{
			rule: "L7", name: "one instance of a name and an ID, the newest",
			why: "two records of one instance would get it twice the work",
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				service := s.service(name, "1")
				for range 3 {
					for _, m := range []*member{a, b} {
						service = changed(service, "by another")
						m.register(service)
						if listed := m.list(name); len(listed) != 1 || !same(listed[0], service) {
							s.Fatalf("want the newest registration alone, got %s", text(listed))
						}
					}
				}
			},
		},
		{
			rule: "L7", name: "spi: names of live instances only, sorted, none twice",
			why: "the names are the backend's to know",
			play: func(s *scene) {
				d := s.direct()
				session, _ := d.session()
				b, a := s.name("b"), s.name("a")
				d.register(session, s.instance(b, "1", "me", 1))
				d.register(session, s.instance(a, "1", "me", 1))
				d.register(session, s.instance(a, "2", "me", 1))
				d.enqueue(d.open().Session, s.name("c"), "1")
				listed := func() []string {
					response, err := d.ListNames(s.ctx(), &driver.ListNamesRequest{})
					s.ok(err)
					if !slices.IsSorted(response.Names) {
						s.Errorf("not sorted: %v", response.Names)
					}
					return slices.DeleteFunc(slices.Clone(response.Names), func(name string) bool {
						return name != a && name != b && name != s.name("c")
					})
				}
				if got, want := listed(), []string{a, b}; !slices.Equal(got, want) {
					s.Errorf("the names are %v, want %v", got, want)
				}
				d.remove(a, "1", "me", 1)
				if got, want := listed(), []string{a, b}; !slices.Equal(got, want) {
					s.Errorf("with one instance left the names are %v, want %v", got, want)
				}
			},
		},
	}
}

func listsNames(s *scene) {
	a, b := s.pair()
	first, second, third := s.name("first"), s.name("second"), s.name("third")
	a.register(s.service(first, "1"), s.service(second, "1"))
	if !a.names(first, second) {
		s.Errorf("a client misses its own names: %v", a.allNames())
	}
	b.register(s.service(second, "2"), s.service(third, "1"))
	for _, m := range []*member{a, b} {
		s.eventually(s.soon(), "all names show", func() bool { return m.names(first, second, third) })
		all := m.allNames()
		if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
			s.Errorf("not sorted, or not unique: %v", all)
		}
	}
	a.deregister(s.service(second, "1"))
	s.never(s.TTL, "a name with a live instance is missing", func() bool { return !a.names(first, second, third) })
	names := a.allNames()
	for i := range names {
		names[i] = "changed by the caller"
	}
	if !a.names(first, second, third) {
		s.Error("what one caller does with its names shows in another's")
	}
}

// allNames lists the names of the cluster, which other cases may use, too.
func (m *member) allNames() []string {
	m.s.Helper()
	names, err := m.ListNames(m.s.ctx())
	m.s.ok(err)
	return names
}

// names says whether all those names are listed.
func (m *member) names(names ...string) bool {
	m.s.Helper()
	all := m.allNames()
	return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(all, name) })
}
