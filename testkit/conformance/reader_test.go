package conformance

import (
	"errors"
	"testing"

	"github.com/go-reception/sdk/reception"
)

// TestFollows breaks each rule of states.
func TestFollows(t *testing.T) {
	service := func(id string, port int) *reception.Service {
		return &reception.Service{ID: id, Name: "api", Port: port}
	}
	list := func(services ...*reception.Service) []*reception.Service { return services }
	one, two, changed := service("1", 1), service("2", 1), service("1", 2)
	seen := &reception.ServiceState{Services: list(one), Revision: 7}
	trouble := errors.New("trouble")
	for name, tt := range map[string]struct {
		seen *reception.ServiceState
		next reception.ServiceState
		ok   bool
	}{
		"first":                   {nil, reception.ServiceState{Services: list(one), Added: list(one)}, true},
		"first, empty":            {nil, reception.ServiceState{}, true},
		"first without changes":   {nil, reception.ServiceState{Services: list(one)}, false},
		"added":                   {seen, reception.ServiceState{Services: list(one, two), Added: list(two), Revision: 8}, true},
		"moved and added":         {seen, reception.ServiceState{Services: list(two, one), Added: list(two), Revision: 8}, true},
		"added and not told":      {seen, reception.ServiceState{Services: list(one, two), Revision: 8}, false},
		"added what was there":    {seen, reception.ServiceState{Services: list(changed), Added: list(changed), Revision: 8}, false},
		"updated":                 {seen, reception.ServiceState{Services: list(changed), Updated: list(changed), Revision: 8}, true},
		"updated and not told":    {seen, reception.ServiceState{Services: list(changed), Revision: 8}, false},
		"updated the same":        {seen, reception.ServiceState{Services: list(one, two), Added: list(two), Updated: list(one), Revision: 8}, false},
		"removed":                 {seen, reception.ServiceState{Removed: list(one), Revision: 8}, true},
		"removed and not told":    {seen, reception.ServiceState{Revision: 8}, false},
		"removed as it never was": {seen, reception.ServiceState{Removed: list(changed), Revision: 8}, false},
		"twice in one list":       {seen, reception.ServiceState{Services: list(one, two, two), Added: list(two), Revision: 8}, false},
		"equal":                   {seen, reception.ServiceState{Services: list(one), Revision: 8}, false},
		"trouble":                 {seen, reception.ServiceState{Services: list(one), Revision: 8, Err: trouble}, true},
		"trouble that is partial": {seen, reception.ServiceState{Revision: 8, Err: trouble}, false},
		"the same revision":       {seen, reception.ServiceState{Removed: list(one), Revision: 7}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if wrong := follows(tt.seen, &tt.next); (wrong == "") != tt.ok {
				t.Errorf("follows says %q", wrong)
			}
		})
	}
}
