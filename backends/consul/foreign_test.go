package consul

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
)

// TestForeignNamesChange has a second agent get, and lose, a service of an ID that another tool has registered with a first
// one already: who follows the service must be told that the first one's old name is gone.
func TestForeignNamesChange(t *testing.T) {
	on := func(node string) *api.ServiceEntry {
		return &api.ServiceEntry{
			Node:    &api.Node{Node: node, Address: "10.0.0.1"},
			Service: &api.AgentService{ID: "web", Service: "api"},
		}
	}
	s := &serviceStream{reader: newReader(&backend{log: &testLog{tb: t}}, "api")}
	told := make(map[string]bool)
	for _, step := range []struct {
		entries []*api.ServiceEntry
		want    []string
	}{
		{[]*api.ServiceEntry{on("n0")}, []string{"web"}},
		{[]*api.ServiceEntry{on("n0"), on("n1")}, []string{"web@n0", "web@n1"}},
		{[]*api.ServiceEntry{on("n1")}, []string{"web"}},
	} {
		for _, change := range s.change(winners(s.reader.records(step.entries))) {
			if change.Deleted {
				delete(told, change.Record.Service.ID)
			} else {
				told[change.Record.Service.ID] = true
			}
		}
		if got := slices.Sorted(maps.Keys(told)); !slices.Equal(got, step.want) {
			t.Errorf("the watch has told of %q, want %q", got, step.want)
		}
		if changes := s.change(winners(s.reader.records(step.entries))); len(changes) > 0 {
			t.Errorf("the same answer again makes %d changes", len(changes))
		}
	}
}

// TestHalfARecord has another tool write metadata that looks like ours, and is not the whole.
func TestHalfARecord(t *testing.T) {
	r := newReader(&backend{log: &testLog{tb: t}}, "api")
	for _, missing := range []string{metaID, metaOwner} {
		e := entry("1", 7)
		delete(e.Service.Meta, missing)
		if records := r.records([]*api.ServiceEntry{e}); len(records) > 0 {
			t.Errorf("without %s it reads as %+v", missing, records[0].instance)
		}
		r.known = nil
	}
}

// TestPasswordIsNotShown has somebody give an address that other vendors would take.
func TestPasswordIsNotShown(t *testing.T) {
	for _, address := range []string{"http://ops:secret@10.0.0.1:8500", "ops:secret@10.0.0.1", "consul://ops:secret@10.0.0.1"} {
		if _, err := Dial(t.Context(), address); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Dial: %v", err)
		}
	}
}
