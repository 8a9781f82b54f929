package conformance

import (
	"fmt"
	"strings"

	"github.com/go-reception/sdk/reception"
)

// A badService is one that breaks a rule of the limits.
type badService struct {
	what    string
	field   string // what the error must name
	service *reception.Service
}

// badServices returns services that break one rule each.
func badServices(s *scene, name string) []badService {
	bad := func(what, field string, breaks func(*reception.Service)) badService {
		service := s.service(name, "1")
		breaks(service)
		return badService{what, field, service}
	}
	var all []badService
	for _, identifier := range badIdentifiers() {
		all = append(all,
			bad(fmt.Sprintf("name %.20q", identifier), "Name", func(service *reception.Service) { service.Name = identifier }),
			bad(fmt.Sprintf("ID %.20q", identifier), "ID", func(service *reception.Service) { service.ID = identifier }))
	}
	for _, address := range []string{
		"", "0.0.0.0", "::", "with space", "a_b!c", "http://example.com", "example.com:80", "[::1]", "/", "-a.example.com",
		strings.Repeat("a", 64) + ".example.com",
	} {
		all = append(all, bad(fmt.Sprintf("address %.20q", address), "Address",
			func(service *reception.Service) { service.Address = address }))
	}
	for _, port := range []int{-1, 65536, 1 << 30} {
		all = append(all, bad(fmt.Sprintf("port %d", port), "Port", func(service *reception.Service) { service.Port = port }))
	}
	attribute := func(what, key, value string) {
		all = append(all, bad(what, "Attributes", func(service *reception.Service) { service.Attributes[key] = value }))
	}
	attribute("an empty key", "", "value")
	attribute("a key of 91 characters", strings.Repeat("k", 91), "value")
	attribute("a key with a newline", "a\nb", "value")
	attribute("a key that is not ASCII", "schlüssel", "value")
	attribute("a value of 501 bytes", "key", strings.Repeat("v", 501))
	attribute("a value that is not UTF-8", "key", "a\xffb")
	attribute("a value of 1 MiB", "key", strings.Repeat("v", 1<<20))
	return append(all, bad("61 attributes", "Attributes", func(service *reception.Service) {
		service.Attributes = attributes(61)
	}))
}

// badIdentifiers are no names, IDs or elections.
func badIdentifiers() []string {
	return []string{
		"", ".", "..", "-a", "a-", ".a", "a.", "_a", "a_", "a/b", "/", "a b", "a\x00b", "a\nb", "ä", "a:b", "*",
		strings.Repeat("a", 129), strings.Repeat("a", 1<<20),
	}
}

func attributes(n int) reception.Attributes {
	all := make(reception.Attributes, n)
	for i := range n {
		all[fmt.Sprintf("key-%d", i)] = fmt.Sprintf("value-%d", i)
	}
	return all
}

// limitCases are about what may be stored, and about its coming back as it was.
func limitCases() []testCase {
	return []testCase{
		{
			rule: "V1", name: "names, IDs and elections up to the limits come back as they were",
			why:  "what passes on one backend must pass on all",
			play: identifiersRoundTrip,
		},
		{
			rule: "V1", name: "case matters",
			why:  "two names that differ in case are two services, on any backend",
			play: caseMatters,
		},
		{
			rule: "V1", name: "names that are prefixes of each other are apart",
			why: "a backend that looks for prefixes must know where a name ends",
			play: func(s *scene) {
				a, b := s.pair()
				base := s.name("svc")
				for _, name := range []string{base, base + "2", base + ".a", base + "-a", base + "_a"} {
					service := s.service(name, "1")
					a.register(service)
					a.seesAtOnce(name, service)
					b.sees(s.soon(), name, service)
					b.watch(name).healthy(s.soon(), service)
				}
				a.deregister(s.service(base, "1"))
				b.sees(s.soon(), base)
				b.seesAtOnce(base+"2", s.service(base+"2", "1"))
			},
		},
		{
			rule: "V1", name: "bad names are refused everywhere",
			why: "a name that cannot exist must not look like one that nobody has registered",
			play: func(s *scene) {
				m := s.member()
				mark := m.mark()
				fine := s.service(s.name("job"), "1")
				for _, name := range badIdentifiers() {
					_, err := m.ListServices(s.ctx(), name)
					s.is(err, reception.ErrInvalidService)
					_, err = m.Leader(s.ctx(), name)
					s.is(err, reception.ErrInvalidService)
					_, err = m.Campaign(s.ctx(), name, fine)
					s.is(err, reception.ErrInvalidService)
					s.is(m.Deregister(s.ctx(), &reception.Service{Name: name, ID: "1"}), reception.ErrInvalidService)
					s.is(m.Deregister(s.ctx(), &reception.Service{Name: fine.Name, ID: name}), reception.ErrInvalidService)
					s.is(m.elector(name, "1").Elect(s.ctx()), reception.ErrInvalidService)
				}
				if sent := m.after(mark); len(sent) > 0 {
					s.Errorf("%s was sent", sent[0].Operation.Name)
				}
			},
		},
		{
			rule: "V2", name: "host names, addresses of both kinds and all ports come back as they were",
			why: "a reader connects to what it reads",
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				var services []*reception.Service
				for i, address := range []string{
					"localhost", "a.example.com", "A.Example.COM", "127.0.0.1", "192.0.2.1", "::1", "2001:db8::1",
					"2001:0DB8:0:0:0:0:0:1", "my-host", "x1.y2.z3",
				} {
					service := s.service(name, fmt.Sprint(i))
					service.Address, service.Port = address, []int{0, 1, 65535}[i%3]
					services = append(services, service)
				}
				roundTrip(s, a, b, services...)
			},
		},
		{
			rule: "V2", name: "a candidate may go without an address, a service may not",
			why: "who only wants the lead need not be reachable",
			play: func(s *scene) {
				a, b := s.pair()
				election := s.name("job")
				candidate := &reception.Service{Name: election, ID: "1"}
				s.is(a.Register(s.ctx(), candidate, nil), reception.ErrInvalidService)
				term, err := a.Campaign(s.ctx(), election, candidate)
				s.ok(err)
				s.eventually(s.soon(), "the leader shows", func() bool { return b.leader(election) != nil })
				if leader := b.leader(election); !same(leader.Service, candidate) || leader.Token != term.Token() {
					s.Errorf("the leader shows as %+v", leader.Service)
				}
			},
		},
		{
			rule: "V3", name: "attributes up to the limits come back byte for byte",
			why:  "what passes on one backend must come back the same from all",
			play: attributesRoundTrip,
		},
		{
			rule: "V3", name: "no attributes and empty ones are the same",
			why: "backends cannot tell them apart, so readers must not have to",
			play: func(s *scene) {
				a, b := s.pair()
				name := s.name("api")
				without, empty := s.service(name, "nil"), s.service(name, "empty")
				without.Attributes, empty.Attributes = nil, reception.Attributes{}
				a.register(without, empty)
				b.sees(s.soon(), name, without, empty)
				for _, listed := range b.list(name) {
					if listed.Attributes != nil {
						s.Errorf("no attributes read back as %#v", listed.Attributes)
					}
				}
				w := b.watch(name)
				w.healthy(s.soon(), without, empty)
				without.Attributes, empty.Attributes = empty.Attributes, without.Attributes
				a.register(without, empty)
				w.silent(s.TTL) // nothing has changed
			},
		},
	}
}

// roundTrip registers services and expects them back, from lists and watches.
func roundTrip(s *scene, a, b *member, services ...*reception.Service) {
	s.Helper()
	a.register(services...)
	name := services[0].Name
	a.seesAtOnce(name, services...)
	b.sees(s.soon(), name, services...)
	b.watch(name).healthy(s.soon(), services...)
}

func identifiersRoundTrip(s *scene) {
	a, b := s.pair()
	long := s.name("n")
	long = strings.Repeat("N", 128-len(long)) + long
	for _, name := range []string{long, s.name("a.b"), s.name("a_b"), s.name("a--b"), s.name("0"), s.name("A..z")} {
		var services []*reception.Service
		for _, id := range []string{"a", "Z", "0", "a.b", "a_b", "a-b", "a..b", "1-2_3.4", strings.Repeat("i", 128)} {
			service := s.service(name, id)
			service.Address = "a.example.com" // which has limits of its own
			services = append(services, service)
		}
		roundTrip(s, a, b, services...)
		candidate := s.service(name, services[len(services)-1].ID)
		candidate.Address = ""
		term, err := a.Campaign(s.ctx(), name, candidate)
		s.ok(err)
		s.eventually(s.soon(), "the leader shows", func() bool { return b.leader(name) != nil })
		if leader := b.leader(name); !same(leader.Service, candidate) {
			s.Errorf("the leader of %q is %s", name, text([]*reception.Service{leader.Service}))
		}
		s.ok(term.Resign(s.ctx()))
	}
	a.register(s.service(s.name("x"), "1"))
	if !a.names(long) {
		s.Errorf("a name of 128 characters is missing among the names")
	}
}

func caseMatters(s *scene) {
	a, b := s.pair()
	lower, upper := s.name("api"), s.name("API")
	one, two := s.service(lower, "a"), s.service(lower, "A")
	three := s.service(upper, "a")
	for _, service := range []*reception.Service{one, two, three} {
		service.Address = "a.example.com"
		service.Attributes = reception.Attributes{"Key": "upper", "key": "lower"}
	}
	a.register(one, two)
	b.register(three)
	for _, m := range []*member{a, b} {
		m.sees(s.soon(), lower, one, two)
		m.sees(s.soon(), upper, three)
		s.eventually(s.soon(), "both names show", func() bool { return m.names(lower, upper) })
	}
	a.deregister(one)
	b.sees(s.soon(), lower, two)
	b.seesAtOnce(upper, three)
	first, second := a.leads(lower, "a"), b.leads(upper, "A")
	if !first.term.Held() || !second.term.Held() {
		s.Error("elections whose names differ in case are one")
	}
}

func attributesRoundTrip(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	most := s.service(name, "most")
	most.Attributes = attributes(60)
	longest := s.service(name, "longest")
	longest.Attributes = reception.Attributes{strings.Repeat("k", 90): strings.Repeat("ü", 250)}
	var printable strings.Builder
	for c := ' '; c <= '~'; c++ {
		printable.WriteRune(c)
	}
	odd := s.service(name, "odd")
	odd.Attributes = reception.Attributes{
		printable.String()[:48]: printable.String(),
		printable.String()[48:]: "line\nbreak\r\n\ttab\x00nul \u2028 \U0001F600 \ufeff",
		" ":                     "",
		"key":                   "lower", "Key": "upper", "KEY": " surrounded by blanks ",
		"consul-reserved": "x", "a/b": "c", "..": "{}", "null": "null", "%2F": "%", `"`: `\`,
	}
	roundTrip(s, a, b, most, longest, odd)
	full := s.service(name, "full")
	full.Attributes = make(reception.Attributes)
	for i := range 60 {
		key := fmt.Sprintf("%02d", i) + strings.Repeat("k", 88)
		full.Attributes[key] = strings.Repeat("v", 500)
	}
	roundTrip(s, a, b, full, most, longest, odd)
	election := s.name("job")
	term, err := a.Campaign(s.ctx(), election, full)
	s.ok(err)
	s.eventually(s.soon(), "the leader shows", func() bool { return b.leader(election) != nil })
	if leader := b.leader(election); !same(leader.Service, full) {
		s.Error("a candidate's attributes do not come back")
	}
	s.ok(term.Resign(s.ctx()))
}
