package reception

import (
	"fmt"
	"testing"

	"github.com/go-reception/sdk/reception/driver"
)

// candidate is one of the election that is told apart by its token.
func candidate(id string, token uint64) *driver.Candidate {
	return &driver.Candidate{Service: driver.Service{Name: "worker", ID: id}, Token: token}
}

// TestLead applies batches to an election that a leads with token 5.
func TestLead(t *testing.T) {
	leads := func(c *driver.Candidate) driver.Change[driver.Candidate] {
		return driver.Change[driver.Candidate]{Record: c}
	}
	ends := func(c *driver.Candidate) driver.Change[driver.Candidate] {
		return driver.Change[driver.Candidate]{Record: c, Deleted: true}
	}
	type list = []driver.Change[driver.Candidate]
	tests := []struct {
		name    string
		reset   bool
		changes list
		want    string
	}{
		{"nothing", false, nil, "a 5"},
		{"reset to nobody", true, nil, "nobody"},
		{"reset to another one", true, list{leads(candidate("b", 6))}, "b 6"},
		{"it ends", false, list{ends(candidate("a", 5))}, "nobody"},
		{"it ends, then the next one leads", false, list{ends(candidate("a", 5)), leads(candidate("b", 6))}, "b 6"},
		{"the next one leads, then it ends", false, list{leads(candidate("b", 6)), ends(candidate("a", 5))}, "b 6"},
		{"it leads again", false, list{ends(candidate("a", 5)), leads(candidate("a", 7))}, "a 7"},
		{"its old term ends again", false, list{leads(candidate("a", 7)), ends(candidate("a", 5))}, "a 7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := leaderOf(candidate("a", 5))
			after := lead(before, &driver.Batch[driver.Candidate]{Reset: test.reset, Changes: test.changes})
			got := "nobody"
			if after != nil {
				got = fmt.Sprintf("%s %d", after.Service.ID, after.Token)
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestRenderLeader checks which changes a reader is told of.
func TestRenderLeader(t *testing.T) {
	view := func(id string, token uint64) *leaderView { return &leaderView{leader: leaderOf(candidate(id, token))} }
	trouble := view("a", 1)
	trouble.err = ErrUnavailable
	tests := []struct {
		name      string
		seen, now *leaderView
		told      bool
	}{
		{"first, nobody", nil, &leaderView{}, true},
		{"nobody, as before", &leaderView{}, &leaderView{}, false},
		{"somebody", &leaderView{}, view("a", 1), true},
		{"nobody any more", view("a", 1), &leaderView{}, true},
		{"the same", view("a", 1), view("a", 1), false},
		{"another one", view("a", 1), view("b", 2), true},
		{"the same candidate in another term", view("a", 1), view("a", 2), true},
		{"trouble", view("a", 1), trouble, true},
		{"trouble as before", trouble, trouble, false},
		{"trouble over", trouble, view("a", 1), true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := renderLeader(test.seen, test.now); (got != nil) != test.told {
				t.Errorf("told %+v, want to be told: %t", got, test.told)
			}
		})
	}
}
