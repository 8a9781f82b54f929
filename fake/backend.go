package fake

import (
	"fmt"
	"math"
	"sync"

	"github.com/go-reception/sdk/fake/internal/kernel"
	"github.com/go-reception/sdk/reception/driver"
)

// A Backend is one process's connection to a [Cluster]: a [driver.Backend], and the faults that befall that process.
type Backend struct {
	cluster *Cluster
	rules   *rules
	label   string
	peer    *kernel.Peer
	link    link
	faults  faults

	mu      sync.Mutex
	streams map[closer]struct{} // those that are open; nil once the backend is closed
}

// closer is an open stream, whatever it delivers.
type closer interface{ Close() }

var _ driver.Backend = (*Backend)(nil)

// Name implements [driver.Backend].
func (b *Backend) Name() string { return "fake" }

// Label is the process's name in [Cluster.History] and [Cluster.Sessions].
func (b *Backend) Label() string { return b.label }

// Close implements [driver.Backend].
func (b *Backend) Close() error {
	b.link.close()
	b.mu.Lock()
	streams := b.streams
	b.streams = nil
	b.mu.Unlock()
	for s := range streams {
		s.Close()
	}
	return nil
}

// track notes an open stream, so that Close closes it.
func (b *Backend) track(s closer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.streams != nil {
		b.streams[s] = struct{}{}
	}
}

func (b *Backend) untrack(s closer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.streams, s)
}

// Cut cuts the process off: calls fail with [driver.ErrUnavailable] at once, those under way too, unless they may have
// written something, which is [driver.ErrOutcomeUnknown]. Open streams are lost.
func (b *Backend) Cut() { b.link.cut() }

// Heal undoes Cut.
func (b *Backend) Heal() { b.link.heal() }

// Freeze makes every call hang, and every answer, until Thaw, Close or the end of the call's context, as it does when
// packets are dropped without a word. The process's own timers go on.
func (b *Backend) Freeze() { b.link.freeze(true) }

// Thaw undoes Freeze.
func (b *Backend) Thaw() { b.link.freeze(false) }

// ExpireSessions ends the sessions that the process has opened, as if they had not been renewed in time, and returns
// how many there were.
func (b *Backend) ExpireSessions() int { return b.peer.EndSessions() }

// HideExpiry decides whether the process is kept from learning that a session has ended, as where a server confirms
// renewals on its own while others have dropped the session. Sessions of this process that end while it is on go on
// being confirmed, by renewals and nothing else, until it is off.
func (b *Backend) HideExpiry(on bool) { b.peer.HideEnds(on) }

// SetClockRate makes this process's clock run at rate, that of the servers being 1. The process's time goes on as it
// did; what changes is that its sessions, as it opens or renews them, last for rate times their TTL. It panics unless
// rate is more than 0 and at most 100.
func (b *Backend) SetClockRate(rate float64) {
	if !(rate > 0 && rate <= 100) || math.IsNaN(rate) {
		panic(fmt.Sprintf("fake: SetClockRate(%v): must be more than 0 and at most 100", rate))
	}
	b.peer.SetRate(rate)
}

// Inject arms a fault that strikes this process only; see [Cluster.Inject].
func (b *Backend) Inject(f Fault) (remove func(), err error) { return b.faults.inject(f) }
