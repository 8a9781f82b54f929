package reception

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-reception/sdk/reception/driver"
)

// instance is one of service api, as a backend stores it.
func instance(id string, port int, created uint64) *driver.Instance {
	return &driver.Instance{Service: driver.Service{Name: "api", ID: id, Address: "host", Port: port}, Created: created}
}

func put(i *driver.Instance) driver.Change[driver.Instance] {
	return driver.Change[driver.Instance]{Record: i}
}

func gone(i *driver.Instance) driver.Change[driver.Instance] {
	return driver.Change[driver.Instance]{Record: i, Deleted: true}
}

func reset(changes ...driver.Change[driver.Instance]) *driver.Batch[driver.Instance] {
	return &driver.Batch[driver.Instance]{Reset: true, Changes: changes}
}

func changes(changes ...driver.Change[driver.Instance]) *driver.Batch[driver.Instance] {
	return &driver.Batch[driver.Instance]{Changes: changes}
}

func acceptAll(*driver.Instance) bool { return true }

// names shows services as id:port, one after the other.
func names(services []*Service) string {
	var all []string
	for _, s := range services {
		all = append(all, fmt.Sprintf("%s:%d", s.ID, s.Port))
	}
	return strings.Join(all, " ")
}

func TestServiceSet(t *testing.T) {
	a, b, c := instance("a", 1, 10), instance("b", 2, 20), instance("c", 3, 30)
	tests := []struct {
		name                          string
		batch                         *driver.Batch[driver.Instance]
		want, added, updated, removed string
	}{
		{"nothing happens", changes(), "a:1 b:2 c:3", "", "", ""},
		{"one comes", changes(put(instance("d", 4, 40))), "a:1 b:2 c:3 d:4", "d:4", "", ""},
		{"one goes", changes(gone(b)), "a:1 c:3", "", "", "b:2"},
		{"an unknown one goes", changes(gone(instance("x", 9, 90))), "a:1 b:2 c:3", "", "", ""},
		{"updated in place", changes(put(instance("b", 9, 20))), "a:1 b:9 c:3", "", "b:9", ""},
		{"updated and moved", changes(put(instance("a", 9, 40))), "b:2 c:3 a:9", "", "a:9", ""},
		{"moved", changes(put(instance("a", 1, 40))), "b:2 c:3 a:1", "", "", ""},
		{"written again", changes(put(instance("a", 1, 10))), "a:1 b:2 c:3", "", "", ""},
		{"comes and goes", changes(put(instance("d", 4, 40)), gone(instance("d", 4, 40))), "a:1 b:2 c:3", "", "", ""},
		{"goes and comes back", changes(gone(a), put(instance("a", 1, 40))), "b:2 c:3 a:1", "", "", ""},
		{"all go", changes(gone(a), gone(b), gone(c)), "", "", "", "a:1 b:2 c:3"},
		{"reset to the same", reset(put(a), put(b), put(c)), "a:1 b:2 c:3", "", "", ""},
		{"reset to nothing", reset(), "", "", "", "a:1 b:2 c:3"},
		{
			"reset to something else", reset(put(instance("c", 9, 1)), put(instance("b", 2, 2)), put(instance("d", 4, 3))),
			"c:9 b:2 d:4", "d:4", "c:9", "a:1",
		},
		{"of one age", changes(put(instance("bb", 4, 20))), "a:1 b:2 bb:4 c:3", "bb:4", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var set serviceSet
			set.apply(reset(put(a), put(b), put(c)), acceptAll)
			before := set.list()
			set.apply(test.batch, acceptAll)
			services := set.list()
			added, updated, removed := diff(before, services)
			for _, check := range []struct {
				what string
				got  []*Service
				want string
			}{
				{"services", services, test.want},
				{"added", added, test.added},
				{"updated", updated, test.updated},
				{"removed", removed, test.removed},
			} {
				if got := names(check.got); got != check.want {
					t.Errorf("%s: %q, want %q", check.what, got, check.want)
				}
			}
		})
	}
}

func TestServiceSetRejects(t *testing.T) {
	var set serviceSet
	set.apply(reset(put(instance("a", 1, 1)), put(instance("", 2, 2)), put(nil)),
		func(i *driver.Instance) bool { return i != nil && i.Service.ID != "" })
	if services := set.list(); names(services) != "a:1" {
		t.Errorf("got %v, want what was accepted", names(services))
	}
}

// TestServiceSetKeepsPointers checks what makes a diff cheap: what has not changed is the same Service.
func TestServiceSetKeepsPointers(t *testing.T) {
	var set serviceSet
	a, b := instance("a", 1, 1), instance("b", 2, 2)
	a.Service.Attributes = driver.Attributes{}
	set.apply(reset(put(a), put(b)), acceptAll)
	before := set.list()
	again := a.Clone()
	again.Created, again.Service.Attributes = 9, nil
	set.apply(reset(put(instance("b", 7, 2)), put(&again)), acceptAll)
	after := set.list()
	if after[1] != before[0] {
		t.Error("an instance of the same content is another Service after a reset")
	}
	if after[0] == before[1] {
		t.Error("an instance of other content is the same Service")
	}
	if before[1].Port != 2 {
		t.Error("an update has changed a Service that was handed out")
	}
}

// TestDiffAtRandom has diff compare sets that are any number of changes apart, and checks that what it says turns one
// into the other, and is no more than needed.
func TestDiffAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var set serviceSet
		created := uint64(0)
		change := func() {
			id := string(rune('a' + random.IntN(6)))
			old, there := set.byID[id]
			switch {
			case random.IntN(3) == 0:
				set.apply(changes(gone(instance(id, 0, 0))), acceptAll)
			case there && random.IntN(2) == 0:
				set.apply(changes(put(instance(id, random.IntN(2), old.created))), acceptAll)
			default:
				created++
				set.apply(changes(put(instance(id, random.IntN(2), created))), acceptAll)
			}
		}
		for range random.IntN(8) {
			change()
		}
		seen := set.list()
		for range random.IntN(8) {
			change()
		}
		now := set.list()
		added, updated, removed := diff(seen, now)
		checkDelta(t, portsOf(seen), now, added, updated, removed)
		if t.Failed() {
			t.Fatalf("from %v to %v", names(seen), names(now))
		}
	}
}

func portsOf(services []*Service) map[string]int {
	ports := map[string]int{}
	for _, s := range services {
		ports[s.ID] = s.Port
	}
	return ports
}

// checkDelta checks that a delta leads from what was seen, ports by ID, to services, and that each of its parts says
// something.
func checkDelta(t *testing.T, seen map[string]int, services, added, updated, removed []*Service) {
	t.Helper()
	for _, s := range removed {
		if _, there := seen[s.ID]; !there {
			t.Errorf("%s is removed, but was not there", s.ID)
		}
		delete(seen, s.ID)
	}
	for _, s := range added {
		if _, there := seen[s.ID]; there {
			t.Errorf("%s is added, but was there", s.ID)
		}
		seen[s.ID] = s.Port
	}
	for _, s := range updated {
		if port, there := seen[s.ID]; !there || port == s.Port {
			t.Errorf("%s is updated, but was not there or the same", s.ID)
		}
		seen[s.ID] = s.Port
	}
	for _, s := range services {
		if port, there := seen[s.ID]; !there || port != s.Port {
			t.Errorf("%s is there, but the delta does not lead to it", s.ID)
		}
		delete(seen, s.ID)
	}
	for id := range seen {
		t.Errorf("%s is not there, but the delta does not say so", id)
	}
}

func BenchmarkServiceChange(b *testing.B) {
	for _, size := range []int{10, 1_000, 10_000} {
		b.Run(fmt.Sprintf("instances=%d", size), func(b *testing.B) {
			var set serviceSet
			all := reset()
			for i := range size {
				all.Changes = append(all.Changes, put(instance(fmt.Sprintf("i%d", i), 1, uint64(i))))
			}
			set.apply(all, acceptAll)
			b.ReportAllocs()
			seen := &serviceView{services: set.list()}
			port := 1
			for b.Loop() {
				port++
				set.apply(changes(put(instance("i5", port, 5))), acceptAll)
				now := &serviceView{services: set.list()}
				if state := renderServices(seen, now); len(state.Updated) != 1 {
					b.Fatalf("%d updated", len(state.Updated))
				}
				seen = now
			}
		})
	}
}
