package gen

import "slices"

// Facts are what the rules so far have made certain about the state that the next rule meets, in an operation of which
// others see all or nothing. Between the rules of one that is not atomic, and while a rule waits, anything may happen,
// so that nothing is certain.
//
// Paths stand for the values that they lead to. Two different ones may lead to the same value, so a write to one place
// makes what is known of the other places of that record uncertain; but equal ones lead to the same place.
type facts struct {
	sessions map[string]session
	places   map[place]*known
	reads    map[string]int // reads since the last write, and their lines
	// guards are the rules that have raised SessionExpired for a session that is gone, with nothing observable since.
	guards map[string]*Rule
}

type session struct {
	live bool
	line int // of the rule that made it so
}

// A place is where a record is, or could be.
type place struct {
	record     *Record
	scope, key string
}

// known is what is certain about a place.
type known struct {
	presence          presence
	line              int    // of the rule that made presence certain
	written           bool   // by a write of this operation, which its reads see; others' writes may not show yet
	owner, generation string // if there is a record, it is this owner's and not newer; empty for not known
	ownerLine         int
	head              bool // it is at the head of its scope
	token             string
	headLine          int
}

type presence int

const (
	uncertain presence = iota
	present
	absent
)

func newFacts() *facts {
	return &facts{
		sessions: map[string]session{}, places: map[place]*known{}, reads: map[string]int{}, guards: map[string]*Rule{},
	}
}

// at gives what is known about the place that a rule is about.
func (f *facts) at(r *Rule) *known {
	return f.of(place{r.Record, r.scope().String(), r.key().String()})
}

func (f *facts) of(p place) *known {
	if f.places[p] == nil {
		f.places[p] = &known{}
	}
	return f.places[p]
}

// scope is the input that says in which scope the rule's record is.
func (r *Rule) scope() *Path {
	if r.Verb == VerbPut {
		return r.given(r.Record.Scope)
	}
	return r.Scope
}

// key is the input that says which record of the scope the rule is about.
func (r *Rule) key() *Path {
	switch {
	case r.Verb != VerbPut:
		return r.Key
	case r.Record.keyIsSession():
		return r.Session
	}
	return r.given(r.Record.Key)
}

// keyIsSession says whether records of this kind are identified by the session that they live on.
func (r *Record) keyIsSession() bool {
	return r.Session != nil && r.Key.String() == r.Session.String()
}

// given is the input that a put or an update gives a field of the record, nil for none.
func (r *Rule) given(field *Path) *Path {
	if field == nil {
		return nil
	}
	if r.From != nil {
		return &Path{Names: append(slices.Clone(r.From.Names), field.Names...)}
	}
	for _, a := range r.Set {
		if field.within(a.To) {
			return &Path{Names: append(slices.Clone(a.From.Names), field.Names[len(a.To.Names):]...)}
		}
	}
	return nil
}

// lives notes that a session is alive.
func (f *facts) lives(id string, line int) {
	if s, known := f.sessions[id]; !known || !s.live {
		f.sessions[id] = session{live: true, line: line}
	}
}

// ends notes that a session is gone, and with it whatever lived on it.
func (f *facts) ends(id string, line int) {
	f.sessions = map[string]session{id: {live: false, line: line}} // other paths may have led to it
	for p, k := range f.places {
		switch {
		case p.record.Session == nil, k.presence == absent:
		case p.record.keyIsSession() && p.key == id:
			*k = known{presence: absent, line: line, written: true}
		default:
			k.presence, k.head = uncertain, false
		}
	}
	clear(f.reads)
}

// exists notes that there is a record at the rule's place.
func (f *facts) exists(r *Rule, written bool) *known {
	k := f.at(r)
	if k.presence != present || written && !k.written {
		k.presence, k.line, k.written = present, r.Pos.Line, written
	}
	if r.Record.keyIsSession() {
		f.lives(r.key().String(), r.Pos.Line)
	}
	return k
}

// vanishes notes that there is no record at the rule's place.
func (f *facts) vanishes(r *Rule, written bool) {
	*f.at(r) = known{presence: absent, line: r.Pos.Line, written: written}
}

// belongs notes whose the record at the rule's place is, if there is one.
func (k *known) belongs(owner, generation *Path, line int) {
	if owner == nil {
		k.owner, k.generation = "", ""
		return
	}
	k.owner, k.generation, k.ownerLine = owner.String(), generation.String(), line
}

// covers says whether a record at the place meets the rule's condition for certain.
func (k *known) covers(r *Rule) bool {
	owner := r.Owner != nil && k.owner == r.Owner.String()
	return owner && (r.Generation == nil || k.generation == r.Generation.String())
}

// blurs makes uncertain what a write could have changed elsewhere, as paths that differ may lead to one place.
func (f *facts) blurs(r *Rule, change func(*known)) {
	here := place{r.Record, r.scope().String(), r.key().String()}
	for p, k := range f.places {
		if p.record == r.Record && p != here {
			change(k)
		}
	}
	clear(f.reads)
}
