package kernel

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// A Peer is a process that is connected to the kernel.
type Peer struct {
	kernel *Kernel
	name   string
	wrote  uint64  // the latest change that it has made
	rate   float64 // how fast its clock goes, the kernel's being 1
	// ghosts are sessions that have ended without the peer being told, and their TTLs; nil when it is told.
	ghosts map[string]time.Duration
}

// A Line is how a peer waits for the kernel.
type Line interface {
	// Wait waits until ready is closed, or for d unless that is 0. It fails when ctx ends, when the line breaks, and
	// with driver.ErrClosed when end is closed.
	Wait(ctx context.Context, ready, end <-chan struct{}, d time.Duration) error
}

// NewPeer adds a process by the name that [Kernel.Sessions] shows.
func (k *Kernel) NewPeer(name string) *Peer { return &Peer{kernel: k, name: name, rate: 1} }

// SetRate makes the peer's clock run rate times as fast as the kernel's: sessions that it opens or renews from now on
// last for rate times their TTL, by a clock that goes on as it did.
func (p *Peer) SetRate(rate float64) {
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	p.rate = rate
}

// HideEnds decides whether the peer's renewals of sessions that have ended in the meantime are confirmed nevertheless.
func (p *Peer) HideEnds(hide bool) {
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	switch {
	case !hide:
		p.ghosts = nil
	case p.ghosts == nil:
		p.ghosts = map[string]time.Duration{}
	}
}

// EndSessions ends the sessions that the peer has opened, in that order, and returns how many there were.
func (p *Peer) EndSessions() int {
	k := p.kernel
	k.lock()
	defer k.mu.Unlock()
	mine := slices.DeleteFunc(slices.Collect(maps.Values(k.sessions.byID)), func(s *session) bool { return s.peer != p })
	slices.SortFunc(mine, func(a, b *session) int { return cmp.Compare(a.number, b.number) })
	for _, s := range mine {
		k.sessions.end(s, nil)
	}
	return len(mine)
}
