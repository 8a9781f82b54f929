package kernel

import (
	"sync"
	"time"
)

// Config is how a kernel treats sessions and what it remembers.
type Config struct {
	// TTL is what a session gets that asks for none.
	TTL time.Duration
	// MinTTL and MaxTTL bound what a session gets; 0 is no bound.
	MinTTL, MaxTTL time.Duration
	// Every is the renewal interval that sessions are told; 0 is a third of their TTL.
	Every time.Duration
	// Settle is the age at which a renewal counts, as [Session] has it.
	Settle time.Duration
	// Vouch is how long what a stream of [Table.Watch] has told is good for lists; 0: streams prove nothing.
	Vouch time.Duration
	// Log is how many changes of a scope are kept for streams that have fallen behind.
	Log int
}

// A Kernel is the state of one cluster. All its methods, and those of what belongs to it, may be called concurrently.
type Kernel struct {
	config Config
	epoch  time.Time

	// mu guards everything below, and all that tables, sessions, peers and streams hold. It is never held across a
	// wait: in a testing/synctest bubble that would hang without a word.
	mu       sync.Mutex
	seq      uint64 // counts changes, over all lives of the data
	born     uint64 // the seq at which the present life began
	lag      time.Duration
	shown    uint64 // whatever the lag, changes up to this one show
	sessions sessions
	tables   []table
	wakeUps  uint64
	spare    *Tx // finished ones, to be used again
}

// table is what the kernel asks of its tables, whatever they store.
type table interface {
	name() string
	remove(scope, key string) bool
	wipe()
	compact()
	ring()
}

// New makes an empty kernel.
func New(config Config) *Kernel {
	k := &Kernel{config: config, epoch: time.Now()}
	k.sessions.init(k)
	return k
}

// clock is the time since the kernel was made.
func (k *Kernel) clock() time.Duration { return time.Since(k.epoch) }

// lock takes the mutex, ends the sessions that are due and returns the time.
func (k *Kernel) lock() time.Duration {
	k.mu.Lock()
	now := k.clock()
	k.sessions.expire(now)
	return now
}

// next numbers a change that by, who may be nil, makes.
func (k *Kernel) next(by *Peer) uint64 {
	k.seq++
	if by != nil {
		by.wrote = k.seq
	}
	return k.seq
}

// revision is the number of a change in the present life of the data.
func (k *Kernel) revision(seq uint64) uint64 { return seq - min(k.born, seq) }

// Wipe starts a new life of the data: records and sessions are gone, revisions start again, streams begin anew.
func (k *Kernel) Wipe() {
	k.lock()
	defer k.mu.Unlock()
	k.sessions.wipe()
	k.born = k.seq
	for _, t := range k.tables {
		t.wipe()
	}
}

// Compact forgets the changes that streams have not read yet: they begin anew.
func (k *Kernel) Compact() {
	k.lock()
	defer k.mu.Unlock()
	for _, t := range k.tables {
		t.compact()
	}
}

// SetLag makes changes show to other peers than the one that makes them only after lag. What was changed before shows
// at once.
func (k *Kernel) SetLag(lag time.Duration) {
	k.lock()
	defer k.mu.Unlock()
	k.lag, k.shown = lag, k.seq
	for _, t := range k.tables {
		t.ring()
	}
}

// Remove removes a record behind everyone's back. The kind names the table; ok is false when there is none.
func (k *Kernel) Remove(kind, scope, key string) (removed, ok bool) {
	k.lock()
	defer k.mu.Unlock()
	for _, t := range k.tables {
		if t.name() == kind {
			return t.remove(scope, key), true
		}
	}
	return false, false
}

// Kinds are the names of the tables, in the order in which they were made.
func (k *Kernel) Kinds() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	names := make([]string, len(k.tables))
	for i, t := range k.tables {
		names[i] = t.name()
	}
	return names
}

// WakeUps counts the calls of [Table.Await] that were woken, for whatever reason.
func (k *Kernel) WakeUps() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.wakeUps
}
