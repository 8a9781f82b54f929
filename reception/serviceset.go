package reception

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/go-reception/sdk/reception/driver"
)

// A serviceRecord is one instance in a serviceSet. Two records with the same content point to the same Service, as long
// as the set has not lost it in between.
type serviceRecord struct {
	service *Service
	created uint64
}

// compare orders records by creation.
func (r serviceRecord) compare(other serviceRecord) int {
	return cmp.Or(cmp.Compare(r.created, other.created), strings.Compare(r.service.ID, other.service.ID))
}

// A serviceSet holds the instances of one service as a stream of the backend tells them. Its zero value is empty.
type serviceSet struct {
	byID    map[string]serviceRecord
	records []serviceRecord // in order
}

// apply takes a batch, without the instances that accept rejects.
func (s *serviceSet) apply(batch *driver.Batch[driver.Instance], accept func(*driver.Instance) bool) {
	known := s.byID
	if batch.Reset || s.byID == nil {
		s.byID = make(map[string]serviceRecord, len(batch.Changes))
		s.records = s.records[:0]
	}
	for _, change := range batch.Changes {
		switch {
		case !accept(change.Record):
		case change.Deleted:
			s.remove(change.Record.Service.ID)
		default:
			s.put(change.Record, known)
		}
	}
}

// put stores an instance. Where its content is known already, the set goes on with the Service that it has.
func (s *serviceSet) put(instance *driver.Instance, known map[string]serviceRecord) {
	id := instance.Service.ID
	record := serviceRecord{service: known[id].service, created: instance.Created}
	if record.service == nil || !holds(record.service, &instance.Service) {
		record.service = serviceOf(&instance.Service)
	}
	s.remove(id)
	s.byID[id] = record
	s.records = slices.Insert(s.records, s.find(record), record)
}

// remove takes an instance out, if it is there.
func (s *serviceSet) remove(id string) {
	if record, there := s.byID[id]; there {
		delete(s.byID, id)
		at := s.find(record)
		s.records = slices.Delete(s.records, at, at+1)
	}
}

// find returns the place of record, or the one where it belongs.
func (s *serviceSet) find(record serviceRecord) int {
	at, _ := slices.BinarySearchFunc(s.records, record, serviceRecord.compare)
	return at
}

// list returns what the set holds now.
func (s *serviceSet) list() []*Service {
	services := make([]*Service, len(s.records))
	for i, record := range s.records {
		services[i] = record.service
	}
	return services
}

// diff compares two lists. An instance that is in both is updated if its content differs, whether or not it has moved.
// What lies before the first difference and behind the last one costs the comparison of a pointer each.
func diff(seen, now []*Service) (added, updated, removed []*Service) {
	for len(seen) > 0 && len(now) > 0 && seen[0] == now[0] {
		seen, now = seen[1:], now[1:]
	}
	for len(seen) > 0 && len(now) > 0 && seen[len(seen)-1] == now[len(now)-1] {
		seen, now = seen[:len(seen)-1], now[:len(now)-1]
	}
	return pair(seen, now)
}

// pair is diff for lists of which every entry may differ.
func pair(left, came []*Service) (added, updated, removed []*Service) {
	if len(left) == 0 || len(came) == 0 {
		return slices.Clone(came), nil, slices.Clone(left) // not parts of lists that are larger
	}
	before := make(map[string]*Service, len(left))
	for _, service := range left {
		before[service.ID] = service
	}
	for _, service := range came {
		old, there := before[service.ID]
		delete(before, service.ID)
		switch {
		case !there:
			added = append(added, service)
		case !equalServices(old, service):
			updated = append(updated, service)
		}
	}
	for _, service := range left {
		if _, gone := before[service.ID]; gone {
			removed = append(removed, service)
		}
	}
	return added, updated, removed
}

// equalServices compares content. Nil and empty attributes are the same.
func equalServices(a, b *Service) bool {
	return a == b || a.ID == b.ID && a.Name == b.Name && a.Address == b.Address && a.Port == b.Port &&
		maps.Equal(a.Attributes, b.Attributes)
}

// holds says whether service is a copy of stored.
func holds(service *Service, stored *driver.Service) bool {
	return service.ID == stored.ID && service.Name == stored.Name && service.Address == stored.Address &&
		service.Port == stored.Port && maps.Equal(service.Attributes, Attributes(stored.Attributes))
}

// serviceOf copies an instance's service. Attributes that are empty read back as nil, on whatever backend.
func serviceOf(stored *driver.Service) *Service {
	service := fromDriverService(stored)
	if len(service.Attributes) == 0 {
		service.Attributes = nil
	}
	return service
}
