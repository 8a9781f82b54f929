package differential

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// clients is how many there are on each side.
const clients = 3

// verbs are what clients do, as often as they stand here. Faults come on top.
var verbs = strings.Fields(`register register register register register deregister deregister displace displace list list
	names watch watch campaign campaign succeed resign resign verify leader leader observe observe elect elect cancel led
	invalid`)

// An act is what a client does next.
type act struct {
	verb     string
	client   int
	other    int             // whom the client displaces, succeeds, or does not win against; -1 for nobody
	name, id string          // the name is an election's, too
	n        int             // tells what is written from what was written before
	moved    map[string]bool // of the world after it
	owned    []post          // with expire: what the client has registered
	leads    []post          // with expire: where it leads
}

func (s act) String() string {
	return fmt.Sprintf("%d: client %d: %s %s/%s (other client: %d)", s.n, s.client, s.verb, s.name, s.id, s.other)
}

// A holder is who leads: by a term, or through an elector.
type holder struct {
	client  int
	elector bool
}

// A world is what a sequence has led to so far.
type world struct {
	owner  map[string]int  // by name/id
	moved  map[string]bool // by name/id: written more than once, so that it may stand at the end of a list
	leader map[string]holder
}

// sequence returns what is to be done for a seed, always the same for the same verbs, with names that end in suffix.
func sequence(seed uint64, verbs []string, suffix string) []act {
	random := rand.New(rand.NewPCG(seed, 0))
	w := world{map[string]int{}, map[string]bool{}, map[string]holder{}}
	all := make([]act, steps)
	for i := range all {
		all[i] = w.next(act{
			verb: verbs[random.IntN(len(verbs))], client: random.IntN(clients), other: -1,
			name: []string{"api", "api2"}[random.IntN(2)] + suffix, id: []string{"1", "2", "3"}[random.IntN(3)], n: i + 1,
		})
	}
	return all
}

// next fits a step into the world.
func (w *world) next(s act) act {
	w.volunteer(&s)
	switch s.verb {
	case "register", "displace", "deregister", "leave":
		w.registers(&s)
	case "campaign", "succeed", "resign", "elect", "cancel":
		w.leads(&s)
	case "expire":
		w.expires(&s)
	}
	s.moved = maps.Clone(w.moved)
	return s
}

// volunteer has, half of the time, those who have something to give up be the ones who do.
func (w *world) volunteer(s *act) {
	owner, owned := w.owner[s.name+"/"+s.id]
	leader, led := w.leader[s.name]
	switch often := s.n%2 == 0; {
	case often && owned && (s.verb == "deregister" || s.verb == "leave"):
		s.client = owner
	case often && led && (s.verb == "resign" && !leader.elector || s.verb == "cancel" && leader.elector):
		s.client = leader.client
	}
}

// registers fits a registration, or its end, into the world.
func (w *world) registers(s *act) {
	key := s.name + "/" + s.id
	owner, owned := w.owner[key]
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
	default:
		if owned && owner == s.client {
			delete(w.owner, key)
		}
	}
}

// leads fits a candidacy, or the end of a term, into the world.
func (w *world) leads(s *act) {
	leader, led := w.leader[s.name]
	if s.verb == "succeed" && (!led || leader.elector) {
		s.verb = "campaign" // only a term can be resigned by hand
	}
	switch s.verb {
	case "campaign", "elect":
		if led {
			s.other = leader.client
		} else {
			w.leader[s.name] = holder{s.client, s.verb == "elect"}
		}
	case "succeed":
		s.other = leader.client
		w.leader[s.name] = holder{client: s.client}
	case "resign", "cancel":
		if led && leader == (holder{s.client, s.verb == "cancel"}) {
			delete(w.leader, s.name)
		}
	}
}

// expires fits the end of a client's sessions into the world: what it has registered comes back, at the end of lists, and
// it leads nowhere.
func (w *world) expires(s *act) {
	for _, key := range slices.Sorted(maps.Keys(w.owner)) {
		if w.owner[key] == s.client {
			name, id, _ := strings.Cut(key, "/")
			s.owned = append(s.owned, post{s.client, name, id})
			w.moved[key] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.leader)) {
		if leader := w.leader[name]; leader.client == s.client {
			id := ""
			if leader.elector {
				id = "elector"
			}
			s.leads = append(s.leads, post{s.client, name, id})
			delete(w.leader, name)
		}
	}
}
