package kernel

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"strconv"
	"time"
)

// A Session is what [Tx.Open] grants.
type Session struct {
	// ID is never used again, not even after a wipe.
	ID string
	// TTL is how long the session lasts without being renewed.
	TTL time.Duration
	// Every is how often to renew it.
	Every time.Duration
	// Settle is the age at which a renewal counts: it does so once another one comes at least this much later.
	Settle time.Duration
}

// longest is the longest TTL that is granted: deadlines must not overflow, whatever the rate of a clock.
const longest = 365 * 24 * time.Hour

// session is one that is open.
type session struct {
	id     string
	number uint64
	ttl    time.Duration
	peer   *Peer

	counted time.Duration // the renewal that counts
	window  time.Duration // when counted was chosen
	latest  time.Duration // the latest renewal

	due     time.Duration
	place   int      // in the heap
	members []member // what lives on it
}

// member is a record that lives on a session.
type member interface {
	age() uint64 // the seq of its creation
	setSlot(i int)
	lose(by *Peer) // removes it
}

// sessions are the open ones.
type sessions struct {
	kernel *Kernel
	byID   map[string]*session
	queue  queue // by deadline
	opened uint64
	late   time.Duration // how long sessions outlive their deadlines
	timer  *time.Timer
	armed  bool
	fires  time.Duration // when, if armed
}

func (s *sessions) init(k *Kernel) {
	s.kernel = k
	s.byID = map[string]*session{}
}

// open makes a session.
func (s *sessions) open(peer *Peer, ttl, now time.Duration) *session {
	c := &s.kernel.config
	if ttl <= 0 {
		ttl = c.TTL
	}
	ttl = max(ttl, c.MinTTL)
	if c.MaxTTL > 0 {
		ttl = min(ttl, c.MaxTTL)
	}
	s.opened++
	o := &session{
		id:      "session-" + strconv.FormatUint(s.opened, 10),
		number:  s.opened,
		ttl:     min(ttl, longest),
		peer:    peer,
		counted: now,
		window:  now,
		latest:  now,
	}
	o.due = o.deadline()
	s.byID[o.id] = o
	heap.Push(&s.queue, o)
	s.arm(now)
	return o
}

// renew puts a session's deadline off.
func (s *sessions) renew(o *session, now time.Duration) {
	o.touch(now, s.kernel.config.Settle)
	if due := o.deadline(); due != o.due {
		o.due = due
		heap.Fix(&s.queue, o.place)
		s.arm(now)
	}
}

// touch notes a renewal. With a settling time only an earlier one counts, as late as the promise allows: at least the
// newest that is settle older than a later one. Two moments are enough to keep that promise: every renewal before
// window is at or before counted already.
func (o *session) touch(now, settle time.Duration) {
	switch {
	case settle == 0:
		o.counted = now
	case now-o.window >= settle:
		o.counted, o.window = o.latest, now
	}
	o.latest = now
}

// deadline is when the session ends by the servers' clock, given in the time of the peer's.
func (o *session) deadline() time.Duration {
	life := o.ttl
	if o.peer != nil && o.peer.rate != 1 {
		life = time.Duration(float64(life) * o.peer.rate)
	}
	return o.counted + life
}

// expire ends the sessions whose time is over.
func (s *sessions) expire(now time.Duration) {
	if len(s.queue) == 0 || s.queue[0].due > now-s.late {
		return
	}
	for len(s.queue) > 0 && s.queue[0].due <= now-s.late {
		s.end(s.queue[0], nil)
	}
	s.arm(now)
}

// end ends a session and removes what lives on it, in the order of creation.
func (s *sessions) end(o *session, by *Peer) {
	s.forget(o)
	slices.SortFunc(o.members, func(a, b member) int { return cmp.Compare(a.age(), b.age()) })
	for _, m := range o.members {
		m.lose(by)
	}
	o.members = nil
}

// forget takes a session off the books.
func (s *sessions) forget(o *session) {
	delete(s.byID, o.id)
	heap.Remove(&s.queue, o.place)
	if o.peer != nil && o.peer.ghosts != nil {
		o.peer.ghosts[o.id] = o.ttl
	}
	if len(s.queue) == 0 && s.armed {
		s.timer.Stop()
		s.armed = false
	}
}

// wipe takes all sessions off the books; what lives on them is the tables' to wipe.
func (s *sessions) wipe() {
	for len(s.queue) > 0 {
		s.forget(s.queue[0])
	}
}

// arm sets the timer to the next deadline unless it fires before that anyway: one that fires too early is set again.
func (s *sessions) arm(now time.Duration) {
	if len(s.queue) == 0 {
		return
	}
	next := s.queue[0].due
	if next += s.late; next < s.late {
		next = math.MaxInt64
	}
	if s.armed && s.fires <= next {
		return
	}
	s.armed, s.fires = true, next
	if s.timer == nil {
		s.timer = time.AfterFunc(next-now, s.tick)
		return
	}
	s.timer.Reset(next - now)
}

// tick is the timer's.
func (s *sessions) tick() {
	s.kernel.mu.Lock()
	defer s.kernel.mu.Unlock()
	now := s.kernel.clock()
	s.armed = false
	s.expire(now)
	s.arm(now)
}

// compare orders sessions as they expire.
func (o *session) compare(p *session) int {
	return cmp.Or(cmp.Compare(o.due, p.due), cmp.Compare(o.number, p.number))
}

// adopt adds a record to those that live on the session.
func (o *session) adopt(m member) {
	m.setSlot(len(o.members))
	o.members = append(o.members, m)
}

// release removes the record at slot i.
func (o *session) release(i int) {
	last := len(o.members) - 1
	o.members[i] = o.members[last]
	o.members[i].setSlot(i)
	o.members[last] = nil
	o.members = o.members[:last]
}

// queue is a heap of sessions by deadline and, where that is the same, number.
type queue []*session

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool { return q[i].compare(q[j]) < 0 }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

func (q *queue) Push(x any) {
	s, _ := x.(*session)
	s.place = len(*q)
	*q = append(*q, s)
}

func (q *queue) Pop() any {
	old := *q
	last := len(old) - 1
	s := old[last]
	old[last] = nil
	*q = old[:last]
	return s
}
