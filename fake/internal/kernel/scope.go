package kernel

import (
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// scope holds the records of a table that are listed and watched together, in the order of creation.
type scope[R any] struct {
	table       *Table[R]
	name        string
	rows        map[string]*row[R]
	first, last *row[R]

	log       log[R]
	watchers  int // open streams
	followers int // those that read the log
	all       chime
	head      chime
	keys      map[string]*keyChime
	retiring  bool // it is among the table's emptied ones

	list     []*R             // all records; nil when not known
	snapshot *driver.Batch[R] // the Reset that a stream begins with; nil when not known
}

// keyChime is that of a single key, there for as long as someone watches it.
type keyChime struct {
	chime

	watchers int
}

// row is a record's place in a scope.
type row[R any] struct {
	scope      *scope[R]
	key        string
	record     *R
	born       uint64 // seq of the creation
	changed    uint64 // seq of the latest write
	session    *session
	slot       int // in the session
	prev, next *row[R]
	waiting    []chan struct{} // for its turn
	gone       bool
	lost       bool // gone because its session was
}

// age, setSlot and lose implement member.

func (r *row[R]) age() uint64   { return r.born }
func (r *row[R]) setSlot(i int) { r.slot = i }

func (r *row[R]) lose(by *Peer) {
	r.session, r.lost = nil, true
	r.scope.remove(r, by)
}

// moveTo makes the row live on a session; nil is none.
func (r *row[R]) moveTo(home *session) {
	if r.session == home {
		return
	}
	if r.session != nil {
		r.session.release(r.slot)
	}
	if r.session = home; home != nil {
		home.adopt(r)
	}
}

// link puts a row at the end of the order.
func (s *scope[R]) link(r *row[R]) {
	r.prev, r.next = s.last, nil
	if s.last == nil {
		s.first = r
	} else {
		s.last.next = r
	}
	s.last = r
}

// unlink takes a row out of the order.
func (s *scope[R]) unlink(r *row[R]) {
	if r.prev == nil {
		s.first = r.next
	} else {
		r.prev.next = r.next
	}
	if r.next == nil {
		s.last = r.prev
	} else {
		r.next.prev = r.prev
	}
}

// insert adds a record at the end of the order.
func (s *scope[R]) insert(key string, record *R, home *session, by *Peer) *row[R] {
	k := s.table.kernel
	seq := k.next(by)
	*s.table.schema.Order(record) = k.revision(seq)
	r := &row[R]{scope: s, key: key, record: record, born: seq, changed: seq}
	s.rows[key] = r
	s.link(r)
	r.moveTo(home)
	s.note(r, nil, record, s.first == r)
	return r
}

// overwrite gives a row a new record where it stands.
func (s *scope[R]) overwrite(r *row[R], record *R, by *Peer) {
	before := r.record
	*s.table.schema.Order(record) = *s.table.schema.Order(before)
	r.record, r.changed = record, s.table.kernel.next(by)
	s.note(r, before, record, s.first == r)
}

// replace gives a row a new record at the end of the order.
func (s *scope[R]) replace(r *row[R], record *R, by *Peer) {
	k := s.table.kernel
	before, led := r.record, s.first == r
	r.born = k.next(by)
	r.record, r.changed = record, r.born
	*s.table.schema.Order(record) = k.revision(r.born)
	s.unlink(r)
	s.link(r)
	s.note(r, before, record, led)
	if led && s.first != r {
		s.first.wake()
	}
}

// remove takes a row away.
func (s *scope[R]) remove(r *row[R], by *Peer) {
	led := s.first == r
	r.changed = s.table.kernel.next(by)
	r.moveTo(nil)
	r.gone = true
	s.unlink(r)
	delete(s.rows, r.key)
	s.note(r, r.record, nil, led)
	r.wake()
	if led && s.first != nil {
		s.first.wake()
	}
	s.table.retire(s)
}

// note lets everyone know of a row's change: before or after is nil where there is no record.
func (s *scope[R]) note(r *row[R], before, after *R, head bool) {
	s.list, s.snapshot = nil, nil
	k := s.table.kernel
	if s.followers > 0 || k.lag > 0 {
		s.log.add(entry[R]{seq: r.changed, at: k.clock(), key: r.key, before: before, after: after}, k.config.Log)
	} else {
		s.log.clear()
	}
	s.all.ring()
	if c := s.keys[r.key]; c != nil {
		c.ring()
	}
	if head {
		s.head.ring()
	}
}

// wipe forgets the records and has every stream begin anew.
func (s *scope[R]) wipe() {
	for r := s.first; r != nil; r = r.next {
		r.gone, r.lost = true, r.session != nil
		r.session = nil
		r.wake()
	}
	clear(s.rows)
	s.first, s.last, s.list, s.snapshot = nil, nil, nil, nil
	s.log.invalidate()
	s.ring()
}

// ring wakes all streams.
func (s *scope[R]) ring() {
	s.all.ring()
	s.head.ring()
	for _, c := range s.keys {
		c.ring()
	}
}

// records are those present, in order. They are shared.
func (s *scope[R]) records() []*R {
	if s.list == nil && s.first != nil {
		s.list = make([]*R, 0, len(s.rows))
		for r := s.first; r != nil; r = r.next {
			s.list = append(s.list, r.record)
		}
	}
	return s.list
}

// idle says whether nothing would be missed if the scope were forgotten.
func (s *scope[R]) idle(now time.Duration) bool {
	if len(s.rows) > 0 || s.watchers > 0 {
		return false
	}
	n, _ := s.hidden(nil, now)
	return n == 0
}
