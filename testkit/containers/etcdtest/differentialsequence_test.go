package etcdtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
)

// clients is how many there are on each side.
const clients = 3

// verbs are what clients do, as often as they stand here.
var verbs = strings.Fields(`register register register register deregister deregister displace displace list list names
	watch watch campaign campaign succeed resign resign verify leader leader invalid`)

// An act is what a client does next.
type act struct {
	verb     string
	client   int
	other    int             // whom the client displaces, succeeds, or does not win against; -1 for nobody
	name, id string          // the name is an election's, too
	n        int             // tells what is written from what was written before
	moved    map[string]bool // of the world after it
}

func (s act) String() string {
	return fmt.Sprintf("%d: client %d: %s %s/%s (other client: %d)", s.n, s.client, s.verb, s.name, s.id, s.other)
}

// A world is what a sequence has led to so far.
type world struct {
	owner  map[string]int  // by name/id
	moved  map[string]bool // by name/id: written more than once, so that it may stand at the end of a list
	leader map[string]int
}

// sequence returns what is to be done for a seed, always the same.
func sequence(seed uint64) []act {
	random := rand.New(rand.NewPCG(seed, 0))
	w := world{map[string]int{}, map[string]bool{}, map[string]int{}}
	all := make([]act, steps)
	for i := range all {
		all[i] = w.next(act{
			verb: verbs[random.IntN(len(verbs))], client: random.IntN(clients), other: -1,
			name: []string{"api", "api2"}[random.IntN(2)], id: []string{"1", "2", "3"}[random.IntN(3)], n: i + 1,
		})
	}
	return all
}

// next fits a step into the world.
func (w *world) next(s act) act {
	key := s.name + "/" + s.id
	owner, owned := w.owner[key]
	leader, led := w.leader[s.name]
	// Half of the time those who have something to give up are the ones who do.
	if often := s.n%2 == 0; often && s.verb == "deregister" && owned {
		s.client = owner
	} else if often && s.verb == "resign" && led {
		s.client = leader
	}
	switch s.verb {
	case "displace":
		if !owned {
			s.verb = "register"
		} else if owner == s.client {
			s.client = (owner + 1) % clients
		}
		fallthrough
	case "register":
		if owned && owner != s.client {
			s.other = owner
		}
		w.owner[key], w.moved[key] = s.client, owned
	case "deregister":
		if owned && owner == s.client {
			delete(w.owner, key)
		}
	case "campaign":
		if led {
			s.other = leader
		} else {
			w.leader[s.name] = s.client
		}
	case "succeed":
		if led {
			s.other = leader
		} else {
			s.verb = "campaign"
		}
		w.leader[s.name] = s.client
	case "resign":
		if led && leader == s.client {
			delete(w.leader, s.name)
		}
	}
	s.moved = maps.Clone(w.moved)
	return s
}
