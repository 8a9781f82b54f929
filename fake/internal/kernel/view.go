package kernel

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// hidden counts the newest changes of the scope that peer does not see yet, and says in how long the oldest of them
// will show. A peer sees everything up to its own latest write.
func (s *scope[R]) hidden(peer *Peer, now time.Duration) (n int, in time.Duration) {
	k := s.table.kernel
	if k.lag == 0 {
		return 0, 0
	}
	seen := k.shown
	if peer != nil {
		seen = max(seen, peer.wrote)
	}
	for ; n < s.log.size; n++ {
		e := s.log.back(n)
		if e.seq <= seen || e.at+k.lag <= now {
			break
		}
		in = e.at + k.lag - now
	}
	return n, in
}

// hiddenFrom counts the newest changes that an operation does not see, and notes where in the history it reads.
func (s *scope[R]) hiddenFrom(tx *Tx) (n int) {
	if n, _ = s.hidden(tx.caller.Peer, tx.now); n > 0 {
		tx.read = s.revisionBefore(n) + 1
	}
	return n
}

// before returns the records as they were before the newest n changes, in order.
func (s *scope[R]) before(n int) []*R {
	if n == 0 {
		return s.records()
	}
	present := make(map[string]*R, len(s.rows))
	for key, r := range s.rows {
		present[key] = r.record
	}
	for i := range n {
		if e := s.log.back(i); e.before == nil {
			delete(present, e.key)
		} else {
			present[e.key] = e.before
		}
	}
	order := s.table.schema.Order
	return slices.SortedFunc(maps.Values(present), func(a, b *R) int { return cmp.Compare(*order(a), *order(b)) })
}

// sizeBefore returns the number of records before the newest n changes.
func (s *scope[R]) sizeBefore(n int) int {
	if n == 0 {
		return len(s.rows)
	}
	return len(s.before(n))
}

// keyBefore returns the record that key had before the newest n changes.
func (s *scope[R]) keyBefore(n int, key string) *R {
	for i := n - 1; i >= 0; i-- {
		if e := s.log.back(i); e.key == key {
			return e.before
		}
	}
	if r := s.rows[key]; r != nil {
		return r.record
	}
	return nil
}

// headBefore returns the record that was first in order before the newest n changes.
func (s *scope[R]) headBefore(n int) *R {
	switch {
	case n > 0:
		if all := s.before(n); len(all) > 0 {
			return all[0]
		}
	case s.first != nil:
		return s.first.record
	}
	return nil
}

// revisionBefore is the place in the history before the newest n changes.
func (s *scope[R]) revisionBefore(n int) uint64 {
	k := s.table.kernel
	if n == 0 {
		return k.revision(k.seq)
	}
	return k.revision(s.log.back(n-1).seq - 1)
}
