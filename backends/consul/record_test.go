package consul

import (
	"fmt"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

func TestOutranks(t *testing.T) {
	rec := func(alive bool, epoch uint64, owner string, generation uint64) *record {
		return &record{alive: alive, epoch: epoch, instance: &driver.Instance{Owner: owner, Generation: generation}}
	}
	ordered := []*record{ // from the one that counts least
		rec(false, 1, "b", 1),
		rec(false, 9, "a", 9),
		rec(true, 0, "", 0),
		rec(true, 1, "a", 9),
		rec(true, 1, "b", 1),
		rec(true, 1, "b", 2),
		rec(true, 2, "a", 1),
	}
	for i, r := range ordered {
		for j, other := range ordered {
			if got := r.outranks(other); got != (i > j) {
				t.Errorf("record %d outranks %d: %v", i, j, got)
			}
		}
	}
}

func TestReaderChooses(t *testing.T) {
	on := func(node string, e *api.ServiceEntry) *api.ServiceEntry {
		e.Node = &api.Node{Node: node, Address: "10.0.0.1"}
		return e
	}
	instance := func(id, owner string, epoch uint64) *api.ServiceEntry {
		i := &driver.Instance{Service: driver.Service{ID: id, Name: "api", Address: "192.0.2.1"}, Owner: owner, Generation: 1}
		e := entryOf(i)
		e.Service.Meta = makeMeta(i, "session", epoch)
		return e
	}
	foreign := func(name, id string) *api.ServiceEntry {
		return &api.ServiceEntry{Service: &api.AgentService{ID: id, Service: name, Meta: map[string]string{"a": "b"}}}
	}
	b := &backend{log: &testLog{tb: t}}
	r := newReader(b, "api")
	garbage := foreign("api", "garbage")
	garbage.Service.Meta[metaWrite] = "garbage"
	entries := []*api.ServiceEntry{
		on("n0", instance("1", "a", 1)), on("n1", instance("1", "b", 2)), // taken over on another agent
		on("n0", foreign("api", "web")), on("n1", foreign("api", "web")), // one ID on two agents
		on("n0", foreign("api", "lone")),
		on("n0", foreign("API", "other")),
		on("n0", garbage),
	}
	byID := winners(r.records(entries))
	want := map[string]string{"1": "b", "web@n0": "", "web@n1": "", "lone": ""}
	if len(byID) != len(want) {
		t.Errorf("%d instances: %v", len(byID), byID)
	}
	for id, owner := range want {
		switch got := byID[id]; {
		case got == nil:
			t.Errorf("%s is missing", id)
		case got.instance.Owner != owner:
			t.Errorf("%s is that of %q, want %q", id, got.instance.Owner, owner)
		case got.foreign() && (got.instance.Service.Address != "10.0.0.1" || got.instance.Service.Attributes["a"] != "b"):
			t.Errorf("%s reads as %+v", id, got.instance)
		}
	}
	again := winners(r.records(entries))
	if again["1"].instance != byID["1"].instance {
		t.Error("what has not changed was read again")
	}
	entries[1].Service.ModifyIndex++
	if again = winners(r.records(entries)); again["1"].instance == byID["1"].instance {
		t.Error("what has changed was not read again")
	}
}

func BenchmarkRecords(b *testing.B) {
	var entries []*api.ServiceEntry
	for i := range 1000 {
		entries = append(entries, entry(fmt.Sprint(i), uint64(i)))
	}
	r := newReader(&backend{log: &testLog{tb: b}}, "api")
	stream := &serviceStream{reader: r, shown: winners(r.records(entries))}
	b.ReportAllocs()
	for b.Loop() {
		entries[7].Service.ModifyIndex++
		if changes := stream.change(winners(r.records(entries))); len(changes) != 1 {
			b.Fatal(len(changes))
		}
	}
}
