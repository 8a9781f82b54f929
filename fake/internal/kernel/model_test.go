package kernel

import (
	"cmp"
	"slices"
	"time"
)

// model is what the kernel is to be, as one would explain it: a list of records that is copied whole at every change.
type model struct {
	now, lag time.Duration
	records  []thing // in the order of creation
	sessions []modelSession
	past     []snapshot    // since the life began; the first is before all changes
	shown    int           // the snapshot that shows whatever the lag
	wrote    map[*Peer]int // the snapshot after each peer's latest write
}

type modelSession struct {
	id       string
	number   int
	ttl, due time.Duration
}

// snapshot is what there was from a change on. Its index is the revision.
type snapshot struct {
	at      time.Duration
	records []thing
}

func newModel() *model {
	m := &model{}
	m.wipe()
	return m
}

func (m *model) wipe() {
	m.records, m.sessions, m.shown = nil, nil, 0
	m.past = []snapshot{{at: m.now}}
	m.wrote = map[*Peer]int{}
}

// changed notes a change by p, who may be nil.
func (m *model) changed(p *Peer) {
	m.past = append(m.past, snapshot{m.now, slices.Clone(m.records)})
	if p != nil {
		m.wrote[p] = m.revision()
	}
}

func (m *model) revision() int { return len(m.past) - 1 }

// sees is the revision up to which p sees everything.
func (m *model) sees(p *Peer) int {
	sees := max(m.shown, m.wrote[p])
	for i := sees; i < len(m.past); i++ {
		if m.lag == 0 || m.past[i].at+m.lag <= m.now {
			sees = i
		}
	}
	return sees
}

// list is what a scope held at a revision.
func (m *model) list(revision int, scope string) []thing {
	return slices.DeleteFunc(slices.Clone(m.past[revision].records), func(t thing) bool { return t.Scope != scope })
}

// find returns the index of a record, -1 if there is none.
func (m *model) find(scope, key string) int {
	return slices.IndexFunc(m.records, func(t thing) bool { return t.Scope == scope && t.Key == key })
}

func (m *model) session(id string) *modelSession {
	for i := range m.sessions {
		if m.sessions[i].id == id {
			return &m.sessions[i]
		}
	}
	return nil
}

func (m *model) match(scope, key string, c Condition) Match {
	i := m.find(scope, key)
	switch {
	case i < 0:
		return Absent
	case c.owned && c.owner != m.records[i].Owner, c.aged && c.generation < m.records[i].Generation:
		return Foreign
	default:
		return Own
	}
}

// put returns false if there is no such session.
func (m *model) put(p *Peer, t thing, mode Mode, session string) (Put, bool) {
	if m.session(session) == nil {
		return Put{}, false
	}
	t.Session = session
	i := m.find(t.Scope, t.Key)
	put := Put{Existed: i >= 0}
	switch {
	case i >= 0 && mode == Create:
		put.Order, put.Revision = m.records[i].Order, m.lastChange(i)
		return put, true
	case i >= 0 && (mode == InPlace || m.records[i].Owner == t.Owner):
		t.Order = m.records[i].Order
		m.records[i] = t
	default:
		if i >= 0 {
			put.Displaced = m.records[i].Owner
			m.records = slices.Delete(m.records, i, i+1)
		}
		t.Order = uint64(len(m.past))
		m.records = append(m.records, t)
	}
	m.changed(p)
	put.Order, put.Revision = t.Order, uint64(m.revision())
	return put, true
}

// lastChange is the revision that made a record what it is.
func (m *model) lastChange(i int) uint64 {
	r := m.records[i]
	at := m.revision()
	for at > 0 && slices.ContainsFunc(m.past[at-1].records, func(t thing) bool { return same(t, r) }) {
		at--
	}
	return uint64(at)
}

// same compares records, whose tags the model does not use: every write has a generation of its own.
func same(a, b thing) bool {
	return a.Scope == b.Scope && a.Key == b.Key && a.Session == b.Session && a.Owner == b.Owner &&
		a.Generation == b.Generation && a.Order == b.Order
}

func (m *model) update(p *Peer, scope, key string, c Condition, generation uint64) Match {
	match := m.match(scope, key, c)
	if match == Own {
		m.records[m.find(scope, key)].Generation = generation
		m.changed(p)
	}
	return match
}

func (m *model) remove(p *Peer, scope, key string, c Condition) Match {
	match := m.match(scope, key, c)
	if match == Own {
		i := m.find(scope, key)
		m.records = slices.Delete(m.records, i, i+1)
		m.changed(p)
	}
	return match
}

// end ends a session, if there is one.
func (m *model) end(p *Peer, id string) bool {
	s := m.session(id)
	if s == nil {
		return false
	}
	m.sessions = slices.DeleteFunc(m.sessions, func(s modelSession) bool { return s.id == id })
	for _, t := range slices.Clone(m.records) {
		if t.Session == id {
			m.remove(p, t.Scope, t.Key, Anyone)
		}
	}
	return true
}

// sleep lets time pass, and sessions expire.
func (m *model) sleep(d time.Duration) {
	until := m.now + d
	for len(m.sessions) > 0 {
		next := slices.MinFunc(m.sessions, func(a, b modelSession) int {
			return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.number, b.number))
		})
		if next.due > until {
			break
		}
		m.now = next.due
		m.end(nil, next.id)
	}
	m.now = until
}
