package zookeeper

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/go-reception/sdk/reception/driver"
)

// TestDirectoryTellsWhatStands has writes of instances come and go at random, several of one instance at a time, and
// expects whoever is told of the changes to have what a new list has.
func TestDirectoryTellsWhatStands(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // to be the same each time
		d := new(backend).newDirectory("api")
		told := make(map[string]*driver.Instance)
		for created := uint64(1); created <= 200; created++ {
			if random.IntN(3) > 0 {
				d.add(someWrite(random, created))
			}
			names := make([]string, 0, len(d.known))
			for name := range d.known {
				if random.IntN(20) > 0 {
					names = append(names, name)
				}
			}
			if complete, err := d.read(t.Context(), names); !complete || err != nil {
				t.Fatalf("seed %d: complete: %v, %v", seed, complete, err)
			}
			if len(d.known) != len(names) {
				t.Fatalf("seed %d: of %d nodes %d are known", seed, len(names), len(d.known))
			}
			if random.IntN(2) > 0 {
				continue // something may change again before it is told
			}
			tell(t, told, d.changes())
			now := make([]*driver.Instance, 0, len(told))
			for _, instance := range told {
				now = append(now, instance)
			}
			slices.SortFunc(now, byAge)
			if want := d.instances(); !slices.Equal(now, want) {
				t.Fatalf("seed %d: after %d writes %d instances were told of, and %d stand", seed, created, len(now), len(want))
			}
		}
	}
}

// someWrite is a write of one of a few instances, now and then one that nobody understands.
func someWrite(random *rand.Rand, created uint64) *node {
	n := &node{name: fmt.Sprint(created), rank: created - random.Uint64N(min(created, 10))}
	if random.IntN(10) > 0 {
		n.instance = &driver.Instance{
			Service: driver.Service{ID: fmt.Sprint(random.IntN(10))}, Owner: "somebody", Created: created,
		}
	}
	return n
}

// tell changes what was told. A change that changes nothing is none.
func tell(t *testing.T, told map[string]*driver.Instance, changes []driver.Change[driver.Instance]) {
	t.Helper()
	for _, c := range changes {
		id := c.Record.Service.ID
		if told[id] == c.Record != c.Deleted {
			t.Fatalf("%s was told already", id)
		}
		if told[id] = c.Record; c.Deleted {
			delete(told, id)
		}
	}
}

// TestDirectoryTellsOfOtherTools has a node of another tool read again, in which something else may be then.
func TestDirectoryTellsOfOtherTools(t *testing.T) {
	t.Parallel()
	d := new(backend).newDirectory("api")
	theirs := func(address string) *node {
		return &node{name: "1", rank: 1, instance: &driver.Instance{
			Service: driver.Service{ID: "1", Address: address}, Created: 1,
		}}
	}
	d.add(theirs("192.0.2.1"))
	d.changes()
	d.reread()
	d.add(theirs("192.0.2.2"))
	changes := d.changes()
	if len(changes) != 1 || changes[0].Deleted || changes[0].Record.Service.Address != "192.0.2.2" {
		t.Errorf("told: %+v", changes)
	}
	if len(d.changes()) > 0 {
		t.Error("it is told twice")
	}
}
