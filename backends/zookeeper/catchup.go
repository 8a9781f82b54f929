package zookeeper

import (
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// regained has requests be sent again, now that there is a session, for which the servers were asked after heard. It
// waits for nothing.
//
// With the session before it the vendor's client forgets what it had seen, and may be connected to a server that is
// behind that. So another session's server is brought up to date first. The interleaving that this forbids: a watch tells
// of an instance, the session expires, the next one is with a server that has not heard of the instance yet, and the
// watch takes it for removed.
func (b *backend) regained(granted time.Duration, heard driver.Moment) {
	session := b.conn.SessionID()
	if last := b.session.Load(); last == 0 || last == session {
		b.session.Store(session)
		b.link.gained(granted, heard)
		return
	}
	if state, _ := b.link.state(); state.up {
		b.link.lost() // nobody has said so
	}
	begun := b.link.begun()
	if b.catching.Swap(begun+1) == begun+1 {
		return // it is under way
	}
	b.calls.run(func() {
		for {
			_, err := b.conn.Sync(b.settings.prefix)
			if err == nil {
				b.session.Store(session)
				b.link.gainedSince(begun, granted, heard)
				return
			}
			if b.link.begun() != begun || !pause(b.life, againAfter) {
				return // whoever regains the next session sees to it
			}
		}
	})
}
