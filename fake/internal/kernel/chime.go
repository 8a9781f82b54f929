package kernel

// perBell is how many waiters share a bell.
const perBell = 32

// A chime wakes everyone who waits for it, at a cost to the ringer that does not grow with their number: they wait at
// bells, a few at each, and ringing a chime rings its first bell only. Whoever wakes takes the lock and leaves his
// bell, which rings the next one. All methods are called under the kernel's lock.
type chime struct{ bells *bells }

// bells are those that ring one after the other. A chime that has rung starts new ones.
type bells struct{ first, last *bell }

// bell is where a few wait; there is always at least one of them.
type bell struct {
	ready   chan struct{} // closed when it rings
	rung    bool
	waiting int
	of      *bells
	prev    *bell
	next    *bell
}

// join adds a waiter, who waits for the bell's ready and must then leave it, for whatever reason the wait has ended.
func (c *chime) join() *bell {
	if c.bells == nil {
		c.bells = &bells{}
	}
	b := c.bells.last
	if b == nil || b.waiting == perBell {
		b = c.bells.add()
	}
	b.waiting++
	return b
}

// ring wakes all who wait now; those who join later wait for the next time.
func (c *chime) ring() {
	if c.bells != nil {
		c.bells.first.ring()
		c.bells = nil
	}
}

// add hangs up another bell.
func (s *bells) add() *bell {
	b := &bell{ready: make(chan struct{}), of: s, prev: s.last}
	if s.last == nil {
		s.first = b
	} else {
		s.last.next = b
	}
	s.last = b
	return b
}

// remove takes down a bell that has not rung.
func (s *bells) remove(b *bell) {
	if b.prev == nil {
		s.first = b.next
	} else {
		b.prev.next = b.next
	}
	if b.next == nil {
		s.last = b.prev
	} else {
		b.next.prev = b.prev
	}
}

// ring wakes those who wait at the bell, who see to the next one.
func (b *bell) ring() {
	if b != nil && !b.rung {
		b.rung = true
		close(b.ready)
	}
}

// leave takes a waiter off the bell: if it has rung the news goes on, otherwise an empty bell is taken down.
func (b *bell) leave() {
	b.waiting--
	switch {
	case b.rung:
		b.next.ring()
	case b.waiting == 0:
		b.of.remove(b)
	}
}
