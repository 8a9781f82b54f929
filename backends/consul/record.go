package consul

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// A record is one service with one agent, as it stands in the catalog.
type record struct {
	instance *driver.Instance // shared and read-only
	service  string           // Consul's ID of it
	node     string
	epoch    uint64
	alive    bool // all its checks pass
	modified uint64
}

// read makes a record of an entry. The error says why an entry is none.
func read(e *api.ServiceEntry) (*record, error) {
	s := e.Service
	r := &record{
		service: s.ID, node: e.Node.Node, modified: s.ModifyIndex, alive: e.Checks.AggregatedStatus() == api.HealthPassing,
		instance: &driver.Instance{
			Service: driver.Service{
				ID: s.ID, Name: s.Service, Address: s.Address, Port: s.Port, Attributes: attributesOf(s.Meta),
			},
			Created: s.CreateIndex,
		},
	}
	if s.Address == "" {
		r.instance.Service.Address = e.Node.Address // which is what Consul means by that
	}
	write, ours := s.Meta[metaWrite]
	if !ours {
		return r, nil
	}
	m, err := parseMark(write)
	if err != nil {
		return nil, err
	}
	r.epoch = m.epoch
	i := r.instance
	i.Service.ID, i.Owner, i.Generation = s.Meta[metaID], s.Meta[metaOwner], m.generation
	if i.Service.ID == "" || i.Owner == "" {
		return nil, fmt.Errorf("%s is there, and %s or %s is missing", metaWrite, metaID, metaOwner)
	}
	i.Session = driver.SessionID(s.Meta[metaSession])
	return r, nil
}

// foreign says whether another tool has written the record.
func (r *record) foreign() bool { return r.instance.Owner == "" }

// outranks says which of two records of the same instance counts: one that lives; the one of the later take-over; of one
// owner's the one that was written later. Owners that have taken over from each other at the same moment are told apart
// by their names, so that everybody agrees.
func (r *record) outranks(other *record) bool {
	if r.alive != other.alive {
		return r.alive
	}
	return cmp.Or(
		cmp.Compare(r.epoch, other.epoch),
		strings.Compare(r.instance.Owner, other.instance.Owner),
		cmp.Compare(r.instance.Generation, other.instance.Generation),
		cmp.Compare(r.instance.Created, other.instance.Created),
	) > 0
}

// A reader makes records of what Consul tells of a service. It remembers them, so that what has not changed is not read
// again. It is not safe for concurrent use.
type reader struct {
	b     *backend
	name  string
	known map[place]*seen
}

// A place is where a service is registered.
type place struct{ node, service string }

// seen is an entry as it was when it was read last.
type seen struct {
	modified uint64
	alive    bool
	address  string
	record   *record // nil for what is none
}

func newReader(b *backend, name string) *reader { return &reader{b: b, name: name} }

// records reads entries. Those of names that differ in case are left out, because to Consul they are the same.
func (r *reader) records(entries []*api.ServiceEntry) []*record {
	known := make(map[place]*seen, len(entries))
	all := make([]*seen, 0, len(entries))
	for _, e := range entries {
		if e.Service == nil || e.Node == nil || e.Service.Service != r.name {
			continue
		}
		at := place{e.Node.Node, e.Service.ID}
		s := r.known[at]
		if s == nil || !s.holds(e) {
			s = r.look(e)
		}
		known[at] = s
		if s.record != nil {
			all = append(all, s)
		}
	}
	r.known = known
	tellApart(all)
	records := make([]*record, 0, len(all))
	for _, s := range all {
		records = append(records, s.record)
	}
	return records
}

// holds says whether the entry is what was read last.
func (s *seen) holds(e *api.ServiceEntry) bool {
	return s.modified == e.Service.ModifyIndex && s.address == e.Node.Address &&
		s.alive == (e.Checks.AggregatedStatus() == api.HealthPassing)
}

// look reads an entry; what is none is logged.
func (r *reader) look(e *api.ServiceEntry) *seen {
	s := &seen{
		modified: e.Service.ModifyIndex, address: e.Node.Address,
		alive: e.Checks.AggregatedStatus() == api.HealthPassing,
	}
	var err error
	if s.record, err = read(e); err != nil {
		r.b.log.Printf("reception: consul: skipped %s on %s, which is no instance: %v", e.Service.ID, e.Node.Node, err)
	}
	return s
}

// tellApart gives records of other tools names of their own. An ID is unique on one agent only, and usually the name of
// the service: where several agents have it, that of the agent is added. What gets another name is another record from
// then on, because who has been told of the one must be told that it is gone.
func tellApart(all []*seen) {
	var nodes map[string]int
	for _, s := range all {
		if s.record.foreign() {
			if nodes == nil {
				nodes = make(map[string]int)
			}
			nodes[s.record.service]++
		}
	}
	for _, s := range all {
		if !s.record.foreign() {
			continue
		}
		id := s.record.service
		if nodes[id] > 1 {
			id += "@" + s.record.node
		}
		if s.record.instance.Service.ID != id {
			renamed, instance := *s.record, *s.record.instance
			instance.Service.ID = id
			renamed.instance = &instance
			s.record = &renamed
		}
	}
}

// winners returns the record of each instance that counts, by its ID.
func winners(records []*record) map[string]*record {
	byID := make(map[string]*record, len(records))
	for _, r := range records {
		id := r.instance.Service.ID
		if other := byID[id]; other == nil || r.outranks(other) {
			byID[id] = r
		}
	}
	return byID
}

// inOrder returns the instances of records, oldest first.
func inOrder(byID map[string]*record) []*driver.Instance {
	instances := make([]*driver.Instance, 0, len(byID))
	for _, r := range byID {
		instances = append(instances, r.instance)
	}
	slices.SortFunc(instances, func(a, b *driver.Instance) int {
		return cmp.Or(cmp.Compare(a.Created, b.Created), strings.Compare(a.Service.ID, b.Service.ID))
	})
	return instances
}
