package consul

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// find reads the records of one instance, whoever has written them. With an index it waits until there is news of the
// service, or the operation timeout is over.
//
// Who looks for instances of one service at the same time asks together. For each question the servers look at all
// instances of the service, and if it waits for news, again whenever one of them changes: of a thousand registrations that
// come back at once, each with a question of its own, they would look at millions.
func (b *backend) find(ctx context.Context, name, id string, index uint64) ([]*record, uint64, error) {
	limit := b.settings.operation + b.settings.operation/8 // servers add a sixteenth
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s := &search{id: id, index: index, done: make(chan struct{})}
	if !b.parties.join(b, name, s) {
		return nil, 0, driver.ErrClosed
	}
	// The question that this one waits behind may never be answered.
	overtakes := time.AfterFunc(b.settings.operation/8, func() { b.parties.overtake(b, s) })
	defer overtakes.Stop()
	select {
	case <-s.done:
		return s.found, s.next, s.err
	case <-limited.Done():
		b.parties.leave(s)
		c := call{ctx: ctx, closed: b.life, late: lateError(limit)}
		return nil, 0, c.failure(limited.Err())
	}
}

// A search is one that is looking for an instance.
type search struct {
	id    string
	index uint64
	party *party        // guarded by parties.mu
	done  chan struct{} // closed with the answer, which is:
	found []*record
	next  uint64
	err   error
}

// A party is those who look for instances of one service together, either at once or when there is news.
type party struct {
	partyKey

	asked  []*search          // whose answer is on its way
	index  uint64             // which they were asked with
	cancel context.CancelFunc // ends that
	later  []*search          // who ask when it is there
}

type partyKey struct {
	name  string
	waits bool
}

// parties are those that are looking.
type parties struct {
	mu sync.Mutex
	of map[partyKey]*party // that others may join
}

// join takes a search into a party. Those who wait for news that others have seen already look at once: no more may come.
// But who knows as much as those who are asking has missed nothing when they hear of the next change, and asks then. It
// reports false once the backend is closed.
func (t *parties) join(b *backend, name string, s *search) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := partyKey{name, s.index > 0}
	if p := t.of[key]; key.waits && p != nil && s.index < p.index {
		key.waits = false
	}
	if p := t.of[key]; p != nil {
		s.party = p
		p.later = append(p.later, s)
		return true
	}
	return t.begin(b, key, []*search{s})
}

// begin begins a party. It is called with mu held.
func (t *parties) begin(b *backend, key partyKey, searches []*search) bool {
	p := &party{partyKey: key, later: searches}
	if !b.spawn(func() { t.run(b, p) }) {
		return false
	}
	for _, s := range searches {
		s.party = p
	}
	if t.of == nil {
		t.of = make(map[partyKey]*party)
	}
	t.of[key] = p
	return true
}

// overtake has a search that waits behind a question, and those that wait with it, asked without waiting any longer.
func (t *parties) overtake(b *backend, s *search) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := s.party; slices.Contains(p.later, s) && t.begin(b, p.partyKey, p.later) {
		p.later = nil
	}
}

// leave takes a search out. Nobody asks any more when all have left.
func (t *parties) leave(s *search) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, is := s.party, func(other *search) bool { return other == s }
	p.asked, p.later = slices.DeleteFunc(p.asked, is), slices.DeleteFunc(p.later, is)
	if len(p.asked)+len(p.later) == 0 && p.cancel != nil {
		p.cancel()
	}
}

// run asks for a party until nobody is left in it.
func (t *parties) run(b *backend, p *party) {
	for {
		ctx, ids, more := t.advance(b, p)
		if !more {
			return
		}
		records, next, err := b.findAll(ctx, p.name, ids, p.index)
		t.answer(p, records, next, err)
	}
}

// advance has those asked next who have come meanwhile. It ends the party if there is nobody.
func (t *parties) advance(b *backend, p *party) (ctx context.Context, ids []string, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(p.later) == 0 {
		t.end(p)
		return nil, nil, false
	}
	p.asked, p.later, p.index = p.later, nil, 0
	for i, s := range p.asked {
		if p.waits && (i == 0 || s.index < p.index) {
			p.index = s.index
		}
		ids = append(ids, s.id)
	}
	slices.Sort(ids)
	ctx, p.cancel = context.WithCancel(b.life)
	return ctx, slices.Compact(ids), true
}

// end lets nobody else join a party. It is called with mu held.
func (t *parties) end(p *party) {
	if p != nil && t.of[p.partyKey] == p {
		delete(t.of, p.partyKey)
	}
}

// answer tells those who were asked for.
func (t *parties) answer(p *party, records []*record, next uint64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.cancel()
	for _, s := range p.asked {
		for _, r := range records {
			if r.instance.Service.ID == s.id {
				s.found = append(s.found, r)
			}
		}
		s.next, s.err = next, err
		close(s.done)
		if err == nil && !p.waits && next <= s.index {
			// It was sent here by those who wait with a later index. The servers have begun anew since, and nobody can
			// say when these hear of it.
			t.end(t.of[partyKey{p.name, true}])
		}
	}
	p.asked, p.cancel = nil, nil
}

// findAll reads the records of some instances of a service.
func (b *backend) findAll(ctx context.Context, name string, ids []string, index uint64) ([]*record, uint64, error) {
	entries, index, err := b.entries(ctx, name, onlyOf(ids), index)
	if err != nil {
		return nil, 0, err
	}
	return newReader(b, name).records(entries), index, nil
}

// onlyOf is the filter that lets the records of some instances pass.
func onlyOf(ids []string) string {
	if len(ids) == 1 {
		return fmt.Sprintf("Service.Meta[%q] == %s", metaID, strconv.Quote(ids[0]))
	}
	patterns := make([]string, len(ids))
	for i, id := range ids {
		patterns[i] = regexp.QuoteMeta(id)
	}
	// To Consul, what is missing matches every pattern.
	return fmt.Sprintf("%q in Service.Meta and Service.Meta[%q] matches %s", metaID, metaID,
		strconv.Quote("^(?:"+strings.Join(patterns, "|")+")$"))
}

// entries reads those of a service's instances that pass the filter, as of now: a majority of the servers has confirmed
// that it is now. With an index it waits until there is news, or the operation timeout is over.
//
// Sorting by the distance from the agent has the agent ask the servers, rather than answer with what it has collected
// from a stream of theirs.
func (b *backend) entries(
	ctx context.Context, name, filter string, index uint64,
) (entries []*api.ServiceEntry, next uint64, err error) {
	limit := b.settings.operation
	if index > 0 {
		limit += limit / 8 // servers add a sixteenth
	}
	err = b.request(ctx, false, limit, func(ctx context.Context) error {
		q := consistent(ctx)
		q.Filter, q.WaitIndex, q.WaitTime = filter, index, b.settings.operation
		if index > 0 {
			q.Near = "_agent"
		}
		var meta *api.QueryMeta
		entries, meta, err = b.client.Health().Service(name, "", false, q)
		if err == nil {
			next = following(index, meta.LastIndex)
			err = b.checkFilter(ctx, entries, meta)
		}
		return err
	})
	return entries, next, err
}
