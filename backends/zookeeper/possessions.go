package zookeeper

import (
	"maps"
	"slices"
	"sync"
)

// possessions are what this client has stored, or may have, for it to be found again without asking the servers.
type possessions struct {
	mu         sync.Mutex
	of         map[string]*belongings // by the mark of the session
	instances  map[instanceKey]instanceAt
	candidates map[candidateKey]candidateAt
}

// belongings are what lives on a session.
type belongings struct {
	paths     map[string]struct{} // of instances, those of writes of unknown outcome among them
	elections map[string]struct{} // in which it may have a candidate
}

// An instanceKey names an instance.
type instanceKey struct{ name, id string }

// An instanceAt is where an instance was last written.
type instanceAt struct {
	path, mark string // of the node and of the session; empty when that is gone
	owner      string
	generation uint64
	claim      uint64 // the highest rank that the owner's record has had
}

// A candidateKey names a candidacy.
type candidateKey struct{ mark, election string }

// A candidateAt is a candidacy's place in the queue.
type candidateAt struct {
	path  string
	token uint64
	head  bool // it was seen that nobody comes before it
}

func newPossessions() *possessions {
	return &possessions{
		of:         make(map[string]*belongings),
		instances:  make(map[instanceKey]instanceAt),
		candidates: make(map[candidateKey]candidateAt),
	}
}

// open takes a session in.
func (p *possessions) open(mark string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of[mark] = &belongings{paths: make(map[string]struct{}), elections: make(map[string]struct{})}
}

// sessions returns how many sessions are open.
func (p *possessions) sessions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.of)
}

// close returns what may still live on a session.
func (p *possessions) close(mark string) (paths, elections []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.of[mark]
	if b == nil {
		return nil, nil
	}
	return slices.Collect(maps.Keys(b.paths)), slices.Collect(maps.Keys(b.elections))
}

// forget drops a session with all that lived on it.
func (p *possessions) forget(mark string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.of[mark]
	if b == nil {
		return
	}
	delete(p.of, mark)
	for election := range b.elections {
		delete(p.candidates, candidateKey{mark, election})
	}
	for key, at := range p.instances {
		if at.mark == mark {
			p.instances[key] = instanceAt{owner: at.owner, claim: at.claim} // for a record that is restored
		}
	}
}

// sent notes that an instance may come to be at a path.
func (p *possessions) sent(mark, path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.of[mark]; b != nil {
		b.paths[path] = struct{}{}
	}
}

// gone notes that there is no instance at a path, and will be none.
func (p *possessions) gone(mark, path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.of[mark]; b != nil {
		delete(b.paths, path)
	}
}

// instance returns where an instance was last written by this client, whoever owns it.
func (p *possessions) instance(key instanceKey) instanceAt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.instances[key]
}

// owned returns where an owner's record was last written.
func (p *possessions) owned(key instanceKey, owner string) instanceAt {
	if at := p.instance(key); at.owner == owner {
		return at
	}
	return instanceAt{owner: owner}
}

// wrote notes that an instance was written, in the place of before.
func (p *possessions) wrote(key instanceKey, now, before instanceAt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.of[before.mark]; b != nil {
		delete(b.paths, before.path)
	}
	if last := p.instances[key]; last.owner == now.owner {
		now.claim = max(now.claim, last.claim)
	}
	p.instances[key] = now
}

// removed notes that an owner's record at a path was removed on purpose, or that there is none of which the path is known.
// The owner may have registered the instance anew in the meantime.
func (p *possessions) removed(key instanceKey, owner, path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.instances[key]
	if at.owner != owner || at.path != "" && at.path != path {
		return
	}
	if b := p.of[at.mark]; b != nil {
		delete(b.paths, at.path)
	}
	delete(p.instances, key)
}

// queueing notes that there may come to be a candidate.
func (p *possessions) queueing(key candidateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.of[key.mark]; b != nil {
		b.elections[key.election] = struct{}{}
	}
}

// queued notes a candidate's place.
func (p *possessions) queued(key candidateKey, at candidateAt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.candidates[key] = at
}

// candidate returns a candidate's place, and whether it is known; and whether there may be one that is not.
func (p *possessions) candidate(key candidateKey) (at candidateAt, known, possible bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, known = p.candidates[key]
	if b := p.of[key.mark]; b != nil {
		_, possible = b.elections[key.election]
	}
	return at, known, possible
}

// left notes that there is no candidate.
func (p *possessions) left(key candidateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.candidates, key)
}
