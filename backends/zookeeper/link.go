package zookeeper

import (
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A link is what is known about the connection to the servers. It takes the vendor's events as they come, keeps what
// they amount to, and tells everybody that something has changed. So nobody who is slow misses more than the steps in
// between.
type link struct {
	mu      sync.Mutex
	changed chan struct{} // closed and renewed with every change
	now     linkState
	events  uint64        // how many the vendor has told
	authed  bool          // the credentials were accepted, and the vendor's client repeats them by itself
	wants   chan struct{} // one slot: a session waits for credentials
}

// A linkState is what is known at one moment.
type linkState struct {
	up      bool          // there is a session that requests can be sent on
	regains uint64        // how often there came to be one
	timeout time.Duration // of the session, as the servers have granted it
	heard   driver.Moment // before the servers were asked for the session, the last time; zero if that is not known
	refused error         // why the credentials are not accepted; there is no use in trying again
	trouble error         // what the vendor's client has complained about since there was a session
}

// newLink returns the link of a connection that is not up yet. With credentials it is up once those are accepted.
func newLink(credentials bool) *link {
	return &link{changed: make(chan struct{}), authed: !credentials, wants: make(chan struct{}, 1)}
}

// state returns what is known now, and a channel that is closed when that changes.
func (l *link) state() (linkState, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now, l.changed
}

// tell has everybody look again. It is called with mu held.
func (l *link) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// gained notes that there is a session with this timeout, for which the servers were asked after heard. It waits for
// nothing.
func (l *link) gained(timeout time.Duration, heard driver.Moment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events++
	l.gain(timeout, heard)
}

// gain is gained for those who hold mu.
func (l *link) gain(timeout time.Duration, heard driver.Moment) {
	l.now.timeout, l.now.heard, l.now.trouble = timeout, heard, nil
	if l.authed {
		l.open()
		return
	}
	select {
	case l.wants <- struct{}{}:
	default:
	}
}

// gainedSince is gained, unless there was another event since begun was called.
func (l *link) gainedSince(begun uint64, timeout time.Duration, heard driver.Moment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.events == begun {
		l.gain(timeout, heard)
	}
}

// open notes that requests can be sent. It is called with mu held.
func (l *link) open() {
	l.now.up = true
	l.now.regains++
	l.tell()
}

// lost notes that there is no session.
func (l *link) lost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events++
	if l.now.up {
		l.now.up = false
		l.tell()
	}
}

// begun returns how many events there were, for accepted to know whether there was another one.
func (l *link) begun() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events
}

// accepted notes that the credentials were accepted by the session that there was when begun was called. If it has been
// lost since, the next one sends them by itself.
func (l *link) accepted(begun uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.authed = true
	if l.events == begun && !l.now.up {
		l.open()
	}
}

// refuse notes that the credentials are not accepted.
func (l *link) refuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.refused = err
	l.tell()
}

// complain notes what the vendor's client has to complain about.
func (l *link) complain(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.trouble = err
}
