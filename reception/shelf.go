package reception

import (
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// shelves are what lists of services that are watched are served from, by name.
type shelves struct {
	mu sync.Mutex
	by map[string]*shelf
}

// A shelf holds the instances of one service as the shared watch has told them, and says whether a list may be served
// from them. That is so while the watch is proven to be current, and only if it has passed everything that this client
// knows to have happened: its own writes that were acknowledged, and lists that it was given.
//
// The interleavings that this forbids:
//   - The network swallows everything, or the servers have forgotten the watch. It hears of no change and no trouble,
//     and lists show for ever what there was once. As it is, no proof arrives any more, and the last one runs out.
//   - Register is acknowledged, and the caller lists before the watch has heard of it: its own instance is missing.
//   - The caller polls a list until an instance of somebody else shows, which the backend was asked for; the next list
//     comes from the watch, which has not heard of that instance yet, and it is missing again.
//   - The servers lose their data and count anew. A write is acknowledged as revision 5, and the watch, which was at
//     1,000 and hears nothing any more, seems to have passed it.
type shelf struct {
	mu       sync.Mutex
	services []*Service // as the watch has told them; shared
	block    []Service  // copies of them side by side, nil until somebody wants them
	cursor   uint64     // how far the watch has come
	asked    time.Time  // the watch has told all that had happened by then
	until    time.Time  // as long as the proof of that is good; zero for no proof

	// A proof that was asked for after learned passes everything that the client knows. So does the cursor, once it has
	// reached known; 0 if there is nothing known that a cursor could pass.
	learned time.Time
	known   uint64
}

// beyond is a revision that no cursor reaches.
const beyond = math.MaxUint64

// open puts up a shelf for a watch that begins. It has passed what the client knows by now if it is asked from now on.
func (s *shelves) open(name string) *shelf {
	h := &shelf{learned: time.Now().Add(-1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[name] = h
	return h
}

// close takes h down, but not its successor.
func (s *shelves) close(name string, h *shelf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[name] == h {
		delete(s.by, name)
	}
}

// of returns the shelf of name, nil if that is not watched.
func (s *shelves) of(name string) *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[name]
}

// fill puts onto the shelf what the watch knows after batch.
func (h *shelf) fill(batch *driver.Batch[driver.Instance], services []*Service) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.services, h.block = services, nil
	if batch.Reset {
		h.cursor, h.until = 0, time.Time{}
	}
	h.advance(batch)
}

// prove notes that the watch is where it was, or where it is by now, and current.
func (h *shelf) prove(batch *driver.Batch[driver.Instance]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance(batch)
}

// advance takes the cursor and the proof of batch. It is called with mu held.
func (h *shelf) advance(batch *driver.Batch[driver.Instance]) {
	h.cursor = max(h.cursor, batch.Cursor)
	proof := batch.Proof
	if proof.GoodFor <= 0 || proof.Asked.Time().Before(h.asked) {
		return
	}
	h.asked = proof.Asked.Time()
	h.until = h.asked.Add(proof.GoodFor)
	if h.asked.After(h.learned) {
		h.known = 0
	}
}

// empty makes the shelf useless until it is filled again, because the watch is in trouble.
func (h *shelf) empty() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until = time.Time{}
}

// serve returns a list of the caller's own. It reports false if none may be served.
func (h *shelf) serve() ([]*Service, bool) {
	h.mu.Lock()
	if !h.serves(time.Now()) {
		h.mu.Unlock()
		return nil, false
	}
	if h.block == nil {
		h.block = make([]Service, len(h.services))
		for i, service := range h.services {
			h.block[i] = *service
		}
	}
	block := h.block
	h.mu.Unlock()
	return unshared(block), true
}

// serves says whether lists may be served at now. It is called with mu held.
func (h *shelf) serves(now time.Time) bool {
	passed := h.asked.After(h.learned) || h.known != 0 && h.cursor >= h.known
	return now.Before(h.until) && passed
}

// unshared returns copies of services that share nothing with them. One piece of memory for all is many times as fast
// as one for each.
func unshared(services []Service) []*Service {
	own, list := slices.Clone(services), make([]*Service, len(services))
	for i := range own {
		list[i] = &own[i]
		if own[i].Attributes != nil {
			own[i].Attributes = maps.Clone(own[i].Attributes)
		}
	}
	return list
}

// A mark is where a watch stood when a request was sent.
type mark struct {
	shelves *shelves
	name    string
	shelf   *shelf // nil if name was not watched
	cursor  uint64
}

// mark remembers where the watch of name stands, for a request that is about to be sent.
func (s *shelves) mark(name string) mark {
	m := mark{shelves: s, name: name, shelf: s.of(name)}
	if m.shelf != nil {
		m.shelf.mu.Lock()
		defer m.shelf.mu.Unlock()
		m.cursor = m.shelf.cursor
	}
	return m
}

// wrote notes that the request was a write that is acknowledged, with its place in the history, 0 if that is not known.
func (m mark) wrote(revision uint64) { m.learn(revision, nil) }

// listed notes that the request was a list, which has shown services at that place in the history.
func (m mark) listed(revision uint64, services []*Service) {
	m.learn(revision, func(h *shelf) bool { return slices.EqualFunc(h.services, services, equalServices) })
}

// learn notes what an answer says, unless the watch says the same.
func (m mark) learn(revision uint64, same func(*shelf) bool) {
	h := m.shelves.of(m.name)
	if h == nil {
		return // a watch that begins later asks later
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if same != nil && same(h) {
		return
	}
	// A write is later than what the watch had told before it was sent. If it does not seem so, the servers count anew;
	// then, as where a shelf is new, numbers prove nothing.
	if revision <= m.cursor || h != m.shelf {
		revision = beyond
	}
	h.known = max(h.known, revision)
	h.learned = time.Now()
}
