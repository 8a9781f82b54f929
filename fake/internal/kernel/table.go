package kernel

import (
	"slices"

	"github.com/go-reception/sdk/reception/driver"
)

// A Table stores one kind of record. Its methods are called by the operation whose Tx they take.
type Table[R any] struct {
	kernel  *Kernel
	schema  Schema[R]
	scopes  map[string]*scope[R]
	emptied []*scope[R] // those to forget once nobody can miss them
}

// NewTable adds a table to the kernel. All are added before the kernel is used.
func NewTable[R any](k *Kernel, schema Schema[R]) *Table[R] {
	t := &Table[R]{kernel: k, schema: schema, scopes: map[string]*scope[R]{}}
	k.tables = append(k.tables, t)
	return t
}

// find returns the row of a record, nil if there is none.
func (t *Table[R]) find(scope, key string) *row[R] {
	if s := t.scopes[scope]; s != nil {
		return s.rows[key]
	}
	return nil
}

// scope returns the scope of that name, a new one if need be.
func (t *Table[R]) scope(name string) *scope[R] {
	s := t.scopes[name]
	if s == nil {
		t.sweep()
		s = &scope[R]{table: t, name: name, rows: map[string]*row[R]{}, keys: map[string]*keyChime{}}
		t.scopes[name] = s
	}
	return s
}

// retire forgets a scope that nobody needs, if not now then later.
func (t *Table[R]) retire(s *scope[R]) {
	switch {
	case t.scopes[s.name] != s: // forgotten already
	case s.idle(t.kernel.clock()):
		delete(t.scopes, s.name)
	case len(s.rows) == 0 && !s.retiring:
		s.retiring = true
		t.emptied = append(t.emptied, s)
	}
}

// sweep retires the scopes that were emptied.
func (t *Table[R]) sweep() {
	emptied := t.emptied
	t.emptied = nil
	for _, s := range emptied {
		s.retiring = false
		t.retire(s)
	}
}

// Match holds a record against a condition.
func (t *Table[R]) Match(_ *Tx, scope, key string, c Condition) Match {
	if r := t.find(scope, key); r != nil {
		return t.schema.match(r.record, c)
	}
	return Absent
}

// Leads says whether the record is the first of its scope, and has that place in the order of creation.
func (t *Table[R]) Leads(_ *Tx, scope, key string, order uint64) bool {
	r := t.find(scope, key)
	return r != nil && r.scope.first == r && *t.schema.Order(r.record) == order
}

// Put stores a copy of record: on a session, unless it is of a kind that lives for ever. It fails with
// driver.ErrSessionExpired, and nothing else, when there is no such session.
func (t *Table[R]) Put(tx *Tx, record R, mode Mode, session string) (Put, error) {
	home := t.kernel.sessions.byID[session]
	if t.schema.Session != nil {
		if home == nil {
			return Put{}, driver.ErrSessionExpired
		}
		t.schema.Session(&record, session)
	}
	scope, key := t.schema.Scope(&record), t.schema.Key(&record)
	r := t.find(scope, key)
	put := Put{Existed: r != nil}
	if r == nil || mode != Create {
		tx.result.Wrote = true
		record = t.schema.Clone(record)
	}
	switch by := tx.caller.Peer; {
	case r == nil:
		r = t.scope(scope).insert(key, &record, home, by)
	case mode == Create:
	case mode == InPlace || t.sameOwner(r.record, &record):
		r.scope.overwrite(r, &record, by)
		r.moveTo(home)
	default:
		if t.schema.Owner != nil {
			put.Displaced = t.schema.Owner(r.record)
		}
		r.scope.replace(r, &record, by)
		r.moveTo(home)
	}
	put.Order, put.Revision = *t.schema.Order(r.record), t.kernel.revision(r.changed)
	return put, nil
}

// sameOwner says whether two records are known to be of one owner.
func (t *Table[R]) sameOwner(a, b *R) bool {
	return t.schema.Owner != nil && t.schema.Owner(a) == t.schema.Owner(b)
}

// Update stores a copy of the record that change has changed, if it meets the condition. What change changes must be
// neither of scope, key, order and session.
func (t *Table[R]) Update(tx *Tx, scope, key string, c Condition, change func(*R)) Update[R] {
	match := t.Match(tx, scope, key, c)
	if match != Own {
		return Update[R]{Match: match}
	}
	tx.result.Wrote = true
	r := t.find(scope, key)
	record := *r.record
	change(&record)
	record = t.schema.Clone(record)
	r.scope.overwrite(r, &record, tx.caller.Peer)
	return Update[R]{Match: Own, Record: &record, Revision: t.kernel.revision(r.changed)}
}

// Delete removes a record that meets the condition, and returns Own if it did.
func (t *Table[R]) Delete(tx *Tx, scope, key string, c Condition) Match {
	match := t.Match(tx, scope, key, c)
	if match == Own {
		tx.result.Wrote = true
		r := t.find(scope, key)
		r.scope.remove(r, tx.caller.Peer)
	}
	return match
}

// Get returns a record, nil if there is none.
func (t *Table[R]) Get(tx *Tx, scope, key string) *R {
	if s := t.scopes[scope]; s != nil {
		return s.keyBefore(s.hiddenFrom(tx), key)
	}
	return nil
}

// List returns the records of a scope in the order of creation.
func (t *Table[R]) List(tx *Tx, scope string) []*R {
	if s := t.scopes[scope]; s != nil {
		return s.before(s.hiddenFrom(tx))
	}
	return nil
}

// Names returns the scopes that have a record, sorted.
func (t *Table[R]) Names(tx *Tx) []string {
	names := make([]string, 0, len(t.scopes))
	for name, s := range t.scopes {
		if s.sizeBefore(s.hiddenFrom(tx)) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Count returns the number of records of a scope.
func (t *Table[R]) Count(tx *Tx, scope string) int {
	if s := t.scopes[scope]; s != nil {
		return s.sizeBefore(s.hiddenFrom(tx))
	}
	return 0
}

// Head returns the first record of a scope, nil if it has none.
func (t *Table[R]) Head(tx *Tx, scope string) *R {
	if s := t.scopes[scope]; s != nil {
		return s.headBefore(s.hiddenFrom(tx))
	}
	return nil
}

// name, remove, wipe, compact and ring implement table.

func (t *Table[R]) name() string { return t.schema.Name }

func (t *Table[R]) remove(scope, key string) bool {
	r := t.find(scope, key)
	if r != nil {
		r.scope.remove(r, nil)
	}
	return r != nil
}

func (t *Table[R]) wipe() {
	for _, s := range t.scopes {
		s.wipe()
		t.retire(s)
	}
}

func (t *Table[R]) compact() {
	for _, s := range t.scopes {
		s.log.clear()
	}
}

func (t *Table[R]) ring() {
	for _, s := range t.scopes {
		s.ring()
	}
}
