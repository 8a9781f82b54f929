package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-reception/sdk/reception"
)

// same says whether two services have the same content. Nil and empty attributes are the same.
func same(a, b *reception.Service) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Address == b.Address && a.Port == b.Port &&
		maps.Equal(a.Attributes, b.Attributes)
}

// sameServices says whether two lists have the same content, whatever their order. An ID that one of them has twice is
// never the same.
func sameServices(got, want []*reception.Service) bool {
	if len(got) != len(want) {
		return false
	}
	byID := make(map[string]*reception.Service, len(got))
	for _, service := range got {
		byID[service.ID] = service
	}
	return len(byID) == len(got) && !slices.ContainsFunc(want, func(service *reception.Service) bool {
		return byID[service.ID] == nil || !same(byID[service.ID], service)
	})
}

// changed returns a copy of a service with other content.
func changed(service *reception.Service, by string) *reception.Service {
	other := *service
	other.Port++
	other.Attributes = maps.Clone(service.Attributes)
	other.Attributes["changed"] = by
	return &other
}

func idsOf(services []*reception.Service) []string {
	ids := make([]string, len(services))
	for i, service := range services {
		ids[i] = service.ID
	}
	return ids
}

// text shows a list in one line.
func text(services []*reception.Service) string {
	shown := make([]string, len(services))
	for i, service := range services {
		shown[i] = fmt.Sprintf("%s@%s:%d%v", service.ID, service.Address, service.Port, service.Attributes)
	}
	return "[" + strings.Join(shown, " ") + "]"
}
