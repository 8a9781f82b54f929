package kernel

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// TestModel takes random steps on the kernel and on the model, and compares all that can be seen of them.
func TestModel(t *testing.T) {
	steps := 1500
	if testing.Short() {
		steps = 500
	}
	for seed := range uint64(8) {
		for name, log := range map[string]int{"short log": 4, "long log and lag": 1 << 20} {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { walk(t, seed, steps, log) })
			})
		}
	}
}

// walker takes random steps.
type walker struct {
	*world

	t       *testing.T
	rnd     *rand.Rand
	model   *model
	lagging bool
	peers   []*Peer
	opened  []string // sessions, in whatever state
	writes  uint64
	mirrors []*mirror
}

// mirror is what a reader knows from a stream.
type mirror struct {
	driver.Stream[thing]

	peer       *Peer
	scope, key string // for a stream of a key
	head       bool   // it is a stream of the head
	known      []thing
}

func walk(t *testing.T, seed uint64, steps, log int) {
	t.Helper()
	w := newWorld(t, Config{Log: log})
	k := &walker{
		world: w, t: t, rnd: rand.New(rand.NewPCG(seed, uint64(log))), model: newModel(), lagging: log > 1000,
		peers: []*Peer{w.NewPeer("p"), w.NewPeer("q"), w.NewPeer("r")},
	}
	for n := range steps {
		k.step()
		k.compare()
		if t.Failed() {
			t.Fatalf("at step %d", n)
		}
	}
	k.model.sleep(time.Hour)
	time.Sleep(time.Hour)
	for _, m := range k.mirrors {
		k.read(m)
		m.Close()
	}
	if n := len(w.things.scopes); n > 0 {
		k.run(k.peers[0], func(tx *Tx) { w.things.scope("sweep") })
		if n := len(w.things.scopes); n != 1 {
			t.Errorf("%d scopes are left", n-1)
		}
	}
}

func pick[T any](k *walker, of ...T) T { return of[k.rnd.IntN(len(of))] }

func (k *walker) scope() string { return pick(k, "s", "t", "u") }
func (k *walker) key() string   { return pick(k, "a", "b", "c", "d", "e") }

func (k *walker) session() string {
	if len(k.opened) == 0 {
		return "none"
	}
	recent := k.opened[max(0, len(k.opened)-8):]
	return pick(k, recent...)
}

func (k *walker) condition() Condition {
	return pick(k, Anyone, OwnedBy(pick(k, "me", "you")), OwnedUpTo(pick(k, "me", "you"), k.writes-min(k.writes, 20)))
}

// step does something to both.
func (k *walker) step() {
	p := pick(k, k.peers...)
	switch n := k.rnd.IntN(100); {
	case n < 6:
		k.openSession(p)
	case n < 12:
		k.renew(p, k.session())
	case n < 50:
		k.putThing(p, k.session())
	case n < 58:
		k.updateThing(p, k.scope(), k.key(), k.condition())
	case n < 72:
		k.deleteThing(p, k.scope(), k.key(), k.condition())
	case n < 82:
		d := time.Duration(k.rnd.IntN(500)) * time.Millisecond
		k.model.sleep(d)
		time.Sleep(d)
		synctest.Wait()
	case n < 90:
		k.openStream(p)
	case n < 94 && len(k.mirrors) > 0:
		i := k.rnd.IntN(len(k.mirrors))
		k.mirrors[i].Close()
		k.mirrors = slices.Delete(k.mirrors, i, i+1)
	default:
		k.trouble(p)
	}
}

// trouble is what happens rarely.
func (k *walker) trouble(p *Peer) {
	id, scope, key := k.session(), k.scope(), k.key()
	switch k.rnd.IntN(8) {
	case 0, 1:
		k.same("ended", k.EndSession(id), k.model.end(nil, id))
	case 2, 3:
		var ended bool
		k.run(p, func(tx *Tx) { ended = tx.End(id) })
		k.same("closed", ended, k.model.end(p, id))
	case 4:
		removed, _ := k.Remove("thing", scope, key)
		k.same("removed", removed, k.model.remove(nil, scope, key, Anyone) == Own)
	case 5:
		k.Compact()
		k.model.shown = k.model.revision()
	case 6:
		if k.rnd.IntN(8) == 0 {
			k.Wipe()
			k.model.wipe()
		}
	case 7:
		if k.lagging {
			lag := time.Duration(k.rnd.IntN(3)) * time.Second
			k.SetLag(lag)
			k.model.lag, k.model.shown = lag, k.model.revision()
		}
	}
}

func (k *walker) openSession(p *Peer) {
	ttl := time.Duration(1+k.rnd.IntN(4000)) * time.Millisecond
	id := k.open(p, ttl)
	k.opened = append(k.opened, id)
	k.model.sessions = append(k.model.sessions, modelSession{id, len(k.opened), ttl, k.model.now + ttl})
}

func (k *walker) renew(p *Peer, id string) {
	var ok bool
	k.run(p, func(tx *Tx) { _, ok = tx.Renew(id) })
	s := k.model.session(id)
	k.same("renewed", ok, s != nil)
	if s != nil {
		s.due = k.model.now + s.ttl
	}
}

func (k *walker) putThing(p *Peer, session string) {
	k.writes++
	t := thing{Scope: k.scope(), Key: k.key(), Owner: pick(k, "me", "you"), Generation: k.writes}
	mode := pick(k, Create, InPlace, TakeOver)
	want, ok := k.model.put(p, t, mode, session)
	k.run(p, func(tx *Tx) {
		got, err := k.things.Put(tx, t, mode, session)
		k.same("put", got, want)
		k.same("put on a session", err == nil, ok)
		k.same("session gone", errors.Is(err, driver.ErrSessionExpired), !ok)
	})
}

func (k *walker) updateThing(p *Peer, scope, key string, c Condition) {
	k.writes++
	k.run(p, func(tx *Tx) {
		got := k.things.Update(tx, scope, key, c, func(t *thing) { t.Generation = k.writes })
		k.same("updated", got.Match, k.model.update(p, scope, key, c, k.writes))
	})
}

func (k *walker) deleteThing(p *Peer, scope, key string, c Condition) {
	k.run(p, func(tx *Tx) {
		k.same("deleted", k.things.Delete(tx, scope, key, c), k.model.remove(p, scope, key, c))
	})
}

func (k *walker) openStream(p *Peer) {
	m := &mirror{peer: p, scope: k.scope()}
	k.run(p, func(tx *Tx) {
		switch k.rnd.IntN(3) {
		case 0:
			m.Stream = k.things.Watch(tx, m.scope)
		case 1:
			m.key = k.key()
			m.Stream = k.things.WatchKey(tx, m.scope, m.key)
		case 2:
			m.head = true
			m.Stream = k.things.WatchHead(tx, m.scope)
		}
	})
	k.mirrors = append(k.mirrors, m)
}

// compare compares what can be read, by any peer, of one scope, and what some streams know.
func (k *walker) compare() {
	p, scope, key := pick(k, k.peers...), k.scope(), k.key()
	want := k.model.list(k.model.sees(p), scope)
	k.run(p, func(tx *Tx) {
		got := values(k.things.List(tx, scope))
		k.sameList("list", got, want)
		k.sameList("the list's revision", got, k.model.list(int(tx.Revision()), scope))
		k.same("count", k.things.Count(tx, scope), len(want))
		k.sameList("head", values([]*thing{k.things.Head(tx, scope)}), want[:min(1, len(want))])
		k.sameList("get", values([]*thing{k.things.Get(tx, scope, key)}), withKey(want, key))
		k.same("named", slices.Contains(k.things.Names(tx), scope), len(want) > 0)
	})
	k.turn(p, scope, key)
	for _, m := range k.mirrors {
		if k.rnd.IntN(10) == 0 {
			k.read(m)
		}
	}
}

// turn asks whose turn it is, which does not lag.
func (k *walker) turn(p *Peer, scope, key string) {
	now := k.model.list(k.model.revision(), scope)
	i := slices.IndexFunc(now, func(t thing) bool { return t.Key == key })
	k.run(p, func(tx *Tx) {
		order, there, err := k.things.Await(tx, scope, key)
		k.same("waits", errors.Is(err, errIdle), i > 0)
		k.same("turn", there, i == 0)
		k.same("leads", k.things.Leads(tx, scope, key, order), i == 0)
	})
}

// read reads all that a stream has.
func (k *walker) read(m *mirror) {
	for {
		batch, err := m.Next(context.Background())
		if errors.Is(err, errIdle) {
			break
		} else if err != nil {
			k.t.Fatal(err)
		}
		m.apply(batch)
		k.sameList("the cursor of a stream", m.known, k.watched(m, int(batch.Cursor)))
	}
	k.sameList("a stream", m.known, k.watched(m, k.model.sees(m.peer)))
}

// watched is what a stream is to show of a revision.
func (k *walker) watched(m *mirror, revision int) []thing {
	list := k.model.list(revision, m.scope)
	switch {
	case m.key != "":
		return withKey(list, m.key)
	case m.head:
		return list[:min(1, len(list))]
	default:
		return list
	}
}

// apply does what a reader does with a batch.
func (m *mirror) apply(batch *driver.Batch[thing]) {
	if batch.Reset {
		m.known = nil
	}
	for _, c := range batch.Changes {
		m.known = slices.DeleteFunc(m.known, func(t thing) bool { return t.Key == c.Record.Key })
		if !c.Deleted {
			m.known = append(m.known, *c.Record)
		}
	}
	slices.SortFunc(m.known, func(a, b thing) int { return int(a.Order) - int(b.Order) })
}

func values(records []*thing) (list []thing) {
	for _, r := range records {
		if r != nil {
			list = append(list, *r)
		}
	}
	return list
}

func withKey(list []thing, key string) []thing {
	return slices.DeleteFunc(slices.Clone(list), func(t thing) bool { return t.Key != key })
}

func (k *walker) same(what string, got, want any) {
	k.t.Helper()
	if got != want {
		k.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func (k *walker) sameList(what string, got, want []thing) {
	k.t.Helper()
	if !slices.EqualFunc(got, want, same) {
		k.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
