package kernel

import (
	"context"
	"time"
)

// A Caller is who makes an operation.
type Caller struct {
	// Context bounds the operation's waits.
	Context context.Context
	// Peer is the process.
	Peer *Peer
	// Line is what the operation waits over, and what the stream that it opens will.
	Line Line
	// Between is called, without the lock, between two rules of an operation that is not atomic; an error ends it.
	Between func() error
}

// A Result is what became of an operation.
type Result struct {
	// Err is the error of the rules.
	Err error
	// Wrote says that something was written.
	Wrote bool
	// Interrupted says that Err is that of the Line or of Between, rather than the rules' own.
	Interrupted bool
}

// A Tx is an operation's pass through the kernel. It is good until the function that got it returns.
type Tx struct {
	kernel *Kernel
	caller Caller
	now    time.Duration
	held   bool // the lock
	result Result
	// read is one more than the revision that the latest lagging read has shown; 0 when reads show the present.
	read uint64
	next *Tx // in the list of spare ones
}

// Run carries an operation out: do runs under the kernel's lock.
func (k *Kernel) Run(caller Caller, do func(*Tx) error) Result {
	now := k.lock()
	tx := k.spare
	if tx == nil {
		tx = &Tx{}
	} else {
		k.spare = tx.next
	}
	*tx = Tx{kernel: k, caller: caller, now: now, held: true}
	defer tx.release()
	tx.result.Err = do(tx)
	return tx.result
}

// release gives the lock and the Tx back, unless the goroutine is being ended while the lock is not held.
func (tx *Tx) release() {
	if !tx.held {
		return
	}
	k := tx.kernel
	*tx = Tx{next: k.spare}
	k.spare = tx
	k.mu.Unlock()
}

// outside runs f without the lock.
func (tx *Tx) outside(f func() error) error {
	tx.held = false
	tx.kernel.mu.Unlock()
	err := f()
	tx.now = tx.kernel.lock()
	tx.held = true
	if err != nil {
		tx.result.Interrupted = true
	}
	return err
}

// Step stands between two rules of an operation that is not atomic.
func (tx *Tx) Step() error {
	if tx.caller.Between == nil {
		return nil
	}
	return tx.outside(tx.caller.Between)
}

// Revision is the place in the history at which the operation reads, or the latest one if it has read nothing.
func (tx *Tx) Revision() uint64 {
	if tx.read != 0 {
		return tx.read - 1
	}
	return tx.kernel.revision(tx.kernel.seq)
}

// Open opens a session; a ttl of 0 asks for the default.
func (tx *Tx) Open(ttl time.Duration) Session {
	tx.result.Wrote = true
	c := &tx.kernel.config
	s := tx.kernel.sessions.open(tx.caller.Peer, ttl, tx.now)
	every := c.Every
	if every == 0 {
		every = s.ttl / 3
	}
	return Session{ID: s.id, TTL: s.ttl, Every: every, Settle: c.Settle}
}

// Renew puts off the session's end, and says for how long from the sending of the request.
func (tx *Tx) Renew(id string) (good time.Duration, ok bool) {
	s := tx.kernel.sessions.byID[id]
	if s == nil {
		good, ok = tx.caller.Peer.ghosts[id]
		return good, ok
	}
	tx.result.Wrote = true
	tx.kernel.sessions.renew(s, tx.now)
	return s.ttl, true
}

// End closes a session, and says whether there was one.
func (tx *Tx) End(id string) bool {
	delete(tx.caller.Peer.ghosts, id)
	s := tx.kernel.sessions.byID[id]
	if s == nil {
		return false
	}
	tx.result.Wrote = true
	tx.kernel.sessions.end(s, tx.caller.Peer)
	delete(s.peer.ghosts, id)
	return true
}

// Live says whether there is such a session.
func (tx *Tx) Live(id string) bool { return tx.kernel.sessions.byID[id] != nil }
