package consul

import (
	"context"
	"slices"
	"sync"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// guards are the polls that registrations are watched by: one for each name, however many instances a client has
// registered under it, because an agent allows a client so many connections and no more.
type guards struct {
	mu     sync.Mutex
	byName map[string]*guard
}

// A guard watches the records of some instances of a service, whoever has written them.
type guard struct {
	b    *backend
	name string
	poll *poll[[]*api.ServiceEntry]

	// Guarded by guards.mu:
	streams   map[*ownStream]struct{}
	asked     []string // the IDs that the question under way is about; nil for all
	told      uint64   // the index of what the streams were told last
	interrupt context.CancelFunc
}

// filtered is up to how many instances are asked for by name. Beyond that all of the service are read.
const filtered = 16

// OpenWatchRegistration implements [driver.Backend].
func (b *backend) OpenWatchRegistration(
	ctx context.Context, in *driver.WatchRegistrationRequest,
) (driver.InstanceStream, error) {
	leave, err := b.enter(ctx)
	if err != nil {
		return nil, err
	}
	records, index, err := b.find(ctx, in.Name, in.ID, 0)
	leave()
	if err != nil {
		return nil, err
	}
	s := &ownStream{b: b, id: in.ID, since: index, news: make(chan struct{}, 1), closed: make(chan struct{})}
	s.tell(standing(records, in.ID), index)
	if !b.guards.join(b, in.Name, s) {
		return nil, driver.ErrClosed
	}
	return s, nil
}

// standing returns the record of an instance that counts and lives, nil if there is none: what does not live has no
// session any more, so its owner is to look after it.
func standing(records []*record, id string) *driver.Instance {
	if r := winners(records)[id]; r != nil && r.alive {
		return r.instance
	}
	return nil
}

// join has a stream told of what becomes of its record. It reports false once the backend is closed.
func (t *guards) join(b *backend, name string, s *ownStream) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.byName[name]; g != nil {
		s.guard = g
		g.streams[s] = struct{}{}
		if g.asked != nil && !slices.Contains(g.asked, s.id) || s.since < g.told {
			g.interrupt() // it goes on with another question
		}
		return true
	}
	g := &guard{b: b, name: name, streams: map[*ownStream]struct{}{s: {}}, interrupt: func() {}}
	s.guard = g
	g.poll = newPoll(b, g.ask)
	if !b.spawn(g.run) {
		g.poll.close()
		return false
	}
	if t.byName == nil {
		t.byName = make(map[string]*guard)
	}
	t.byName[name] = g
	return true
}

// leave takes a stream out. The last one ends its guard.
func (t *guards) leave(s *ownStream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := s.guard
	delete(g.streams, s)
	if len(g.streams) == 0 {
		t.end(g)
	}
}

// end ends a guard. It is called with mu held.
func (t *guards) end(g *guard) {
	g.poll.close()
	if t.byName[g.name] == g {
		delete(t.byName, g.name)
	}
}

// run asks until there is no stream left, or no answer.
func (g *guard) run() {
	for {
		ctx := g.prepare()
		entries, err := g.poll.next(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			g.poll.fruitless = false
			continue // with another question
		case err != nil:
			g.fail(err)
			return
		}
		g.poll.fruitless = !g.deliver(newReader(g.b, g.name).records(entries))
	}
}

// prepare fixes what the next question is about. The context that it returns ends when that is too little.
func (g *guard) prepare() context.Context {
	t := &g.b.guards
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := make(map[string]bool, len(g.streams))
	for s := range g.streams {
		ids[s.id] = true
		if !s.counted && s.since < g.poll.index {
			g.poll.index = 0 // what has happened in between was told to the others, if to anybody
		}
		s.counted = true
	}
	g.asked = nil
	if len(ids) <= filtered {
		g.asked = make([]string, 0, len(ids))
		for id := range ids {
			g.asked = append(g.asked, id)
		}
	}
	g.interrupt() // frees the last one
	ctx, cancel := context.WithCancel(context.Background())
	g.interrupt = cancel
	return ctx
}

// ask asks for the instances that the guard is there for. Sorting by distance is what makes it a question to the
// servers: an agent would otherwise set up, and keep for a while, a stream for each set of instances.
func (g *guard) ask(q *api.QueryOptions) ([]*api.ServiceEntry, *api.QueryMeta, error) {
	t := &g.b.guards
	t.mu.Lock()
	if g.asked != nil {
		q.Filter = onlyOf(g.asked)
	}
	t.mu.Unlock()
	q.Near = "_agent"
	entries, meta, err := g.b.client.Health().Service(g.name, "", false, q)
	if err == nil {
		err = g.b.checkFilter(q.Context(), entries, meta)
	}
	return entries, meta, err
}

// deliver tells the streams what there is. It reports whether that was news to any of them.
func (g *guard) deliver(records []*record) (news bool) {
	byID := make(map[string][]*record)
	for _, r := range records {
		id := r.instance.Service.ID
		byID[id] = append(byID[id], r)
	}
	t := &g.b.guards
	t.mu.Lock()
	defer t.mu.Unlock()
	g.told = g.poll.index
	for s := range g.streams {
		if g.asked != nil && !slices.Contains(g.asked, s.id) {
			continue // the next question is about it, too
		}
		if s.hear(standing(byID[s.id], s.id), g.poll.index) {
			news = true
		}
	}
	return news
}

// fail breaks all streams.
func (g *guard) fail(err error) {
	t := &g.b.guards
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(g)
	g.interrupt()
	for s := range g.streams {
		s.fail(err)
	}
}

// An ownStream tells what becomes of one instance.
type ownStream struct {
	b     *backend
	guard *guard
	id    string
	since uint64 // answers of an earlier index are older than what was told first

	counted bool // a question of the guard's was about it; guarded by guards.mu

	closing sync.Once
	closed  chan struct{}
	news    chan struct{} // one slot: there is something to tell

	mu      sync.Mutex
	begun   bool // the first batch was taken
	shown   *driver.Instance
	present *driver.Instance // not told yet if it differs from shown
	index   uint64
	failure error
}

// hear takes what a guard has read at index, unless it is older than what is known. It reports whether it is news.
func (s *ownStream) hear(present *driver.Instance, index uint64) bool {
	if index == 0 { // history begins anew
		s.since = 0
	}
	if index < s.since {
		return false
	}
	return s.tell(present, index)
}

// tell makes present what is to be told. It reports whether that is news.
func (s *ownStream) tell(present *driver.Instance, index uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index = index
	if sameRecord(s.present, present) && s.begun {
		return false
	}
	s.present = present
	s.wake()
	return true
}

// fail breaks the stream.
func (s *ownStream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = err
	s.wake()
}

func (s *ownStream) wake() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// sameRecord says whether two records are the same write.
func sameRecord(a, b *driver.Instance) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Owner == b.Owner && a.Generation == b.Generation && a.Session == b.Session && a.Created == b.Created
}

// Next implements [driver.Stream].
func (s *ownStream) Next(ctx context.Context) (*driver.Batch[driver.Instance], error) {
	for {
		select {
		case <-s.closed:
			return nil, driver.ErrClosed
		case <-s.b.life.Done():
			return nil, driver.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.news:
		}
		if batch, err := s.take(); batch != nil || err != nil {
			return batch, err
		}
	}
}

// take returns what is to be told; neither a batch nor an error if that is nothing.
func (s *ownStream) take() (*driver.Batch[driver.Instance], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		s.wake() // the stream stays broken
		return nil, s.failure
	}
	batch := &driver.Batch[driver.Instance]{Reset: !s.begun, Cursor: s.index}
	switch {
	case s.begun && sameRecord(s.shown, s.present):
		return nil, nil
	case s.present != nil:
		batch.Changes = []driver.Change[driver.Instance]{{Record: s.present}}
	case s.shown != nil:
		batch.Changes = []driver.Change[driver.Instance]{{Deleted: true, Record: s.shown}}
	}
	s.begun, s.shown = true, s.present
	return batch, nil
}

// Close implements [driver.Stream].
func (s *ownStream) Close() {
	s.closing.Do(func() {
		close(s.closed)
		s.b.guards.leave(s)
	})
}
