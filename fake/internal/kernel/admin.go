package kernel

import (
	"slices"
	"time"
)

// SetLate makes all sessions outlive their deadlines by late.
func (k *Kernel) SetLate(late time.Duration) {
	k.lock()
	defer k.mu.Unlock()
	k.sessions.late = late
	now := k.clock()
	k.sessions.expire(now)
	k.sessions.arm(now)
}

// EndSession ends a session as if it had expired, and says whether there was one.
func (k *Kernel) EndSession(id string) bool {
	k.lock()
	defer k.mu.Unlock()
	s := k.sessions.byID[id]
	if s == nil {
		return false
	}
	k.sessions.end(s, nil)
	return true
}

// A SessionInfo describes an open session.
type SessionInfo struct {
	ID, Peer string
	TTL      time.Duration
	Left     time.Duration // until it expires
}

// Sessions describes the open sessions in the order in which they expire unless they are renewed.
func (k *Kernel) Sessions() []SessionInfo {
	now := k.lock()
	defer k.mu.Unlock()
	open := slices.Clone(k.sessions.queue)
	slices.SortFunc(open, func(a, b *session) int { return a.compare(b) })
	infos := make([]SessionInfo, len(open))
	for i, s := range open {
		infos[i] = SessionInfo{ID: s.id, TTL: s.ttl, Left: s.due - now + k.sessions.late}
		if s.peer != nil {
			infos[i].Peer = s.peer.name
		}
	}
	return infos
}
