package kernel

import (
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// log is the recent changes of a scope, oldest first: a ring, in which positions count from the scope's beginning.
type log[R any] struct {
	ring  []entry[R]
	start uint64 // position of the oldest
	size  int

	// The latest batch made of it, since streams that keep up all ask for the same one.
	batch    *driver.Batch[R]
	from, to uint64
}

// entry is a change: before or after is nil where there was, or is, no record.
type entry[R any] struct {
	seq           uint64
	at            time.Duration
	key           string
	before, after *R
}

// end is the position of the next change.
func (l *log[R]) end() uint64 { return l.start + uint64(l.size) }

// at returns the entry at a position.
func (l *log[R]) at(position uint64) *entry[R] { return &l.ring[position%uint64(len(l.ring))] }

// back returns the i-th newest entry, from 0.
func (l *log[R]) back(i int) *entry[R] { return l.at(l.end() - 1 - uint64(i)) }

// add appends a change, and drops the oldest if there are limit already.
func (l *log[R]) add(e entry[R], limit int) {
	switch {
	case l.size == limit:
		l.start++
		l.size--
	case l.size == len(l.ring):
		l.grow(min(max(16, 2*l.size), limit))
	}
	l.size++
	*l.back(0) = e
}

// grow makes the ring larger.
func (l *log[R]) grow(size int) {
	old := *l
	l.ring = make([]entry[R], size)
	for p := l.start; p < l.end(); p++ {
		*l.at(p) = *old.at(p)
	}
}

// clear drops the changes. Those who have read all of them do not notice.
func (l *log[R]) clear() {
	if l.size > 0 {
		*l = log[R]{start: l.end()}
	}
}

// invalidate drops the changes and makes everyone begin anew.
func (l *log[R]) invalidate() { *l = log[R]{start: l.end() + 1} }

// read returns the changes between two positions, of which there is at least one.
func (l *log[R]) read(from, to, born uint64) *driver.Batch[R] {
	if l.batch != nil && l.from == from && l.to == to {
		return l.batch
	}
	changes := make([]driver.Change[R], 0, to-from)
	for p := from; p < to; p++ {
		e := l.at(p)
		if e.after == nil {
			changes = append(changes, driver.Change[R]{Deleted: true, Record: e.before})
		} else {
			changes = append(changes, driver.Change[R]{Record: e.after})
		}
	}
	l.batch = &driver.Batch[R]{Changes: changes, Cursor: l.at(to-1).seq - born}
	l.from, l.to = from, to
	return l.batch
}
