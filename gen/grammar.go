package gen

import "slices"

// The grammar of a spec is one table: kinds of mappings, their keys, and what each key's value looks like. From it come
// the decoding with its messages, the JSON schema, and the tables of spec/GRAMMAR.md.

// A kind is a sort of mapping in a spec.
type kind struct {
	name string // as messages call it, without article
	id   string // in the schema and the tables of the grammar; the name if empty
	doc  string
	keys []key
	// sign tells the kind from the others that may stand in the same place: a key that only it has, or that has this
	// value. It is zero where only one kind may stand.
	sign  sign
	needs []need     // keys that mean something together with another one only
	one   [][]string // of each group there is exactly one key
	most  [][]string // of each group there is at most one key
	rule  *ruleKind  // for rules
}

type sign struct{ key, value string }

// A need says that key has no meaning without other.
type need struct{ key, other string }

// A key is one entry of a mapping.
type key struct {
	name     string
	value    value
	required bool
	when     condition // the entry exists only under this condition
	fallback string    // what leaving it out means
	doc      string    // what it says, for people
}

// A condition holds where key has the value is, or is left out and that means the same.
type condition struct{ key, is string }

// A shape is what a value looks like.
type shape int

// The shapes.
const (
	shapeText     shape = iota + 1 // one line
	shapeDoc                       // paragraphs
	shapeWord                      // one of choices
	shapeFlag                      // true
	shapeBool                      // true or false
	shapeBounds                    // [min, max]
	shapeExported                  // the name of something that Go code exports
	shapeLower                     // a lower-case name
	shapeTag                       // a JSON name
	shapeType                      // a Go type expression
	shapeTypeName                  // a type of the spec, or string, or int
	shapeField                     // a field's name
	shapePath                      // Field, Field.Sub, …
	shapeError                     // an error of the spec
	shapeOutcome                   // ok, or an error of the spec
	shapeRecord                    // a record of the spec
	shapeList                      // items, one at least
	shapeObject                    // a mapping of one of kinds
	shapePaths                     // a mapping from paths to paths
	shapeResult                    // a result of a rule's verb
	shapeResults                   // a mapping from a rule's results to fields
)

// A value says what a key's value looks like.
type value struct {
	shape   shape
	choices []string // shapeWord
	items   *value   // shapeList
	kinds   []*kind  // shapeObject
	want    want     // shapePath: what the path leads to
}

func text() value                                { return value{shape: shapeText} }
func word(choices ...string) value               { return value{shape: shapeWord, choices: choices} }
func list(items value) value                     { return value{shape: shapeList, items: &items} }
func object(kinds ...*kind) value                { return value{shape: shapeObject, kinds: kinds} }
func objects(kinds ...*kind) value               { return list(object(kinds...)) }
func pathTo(w want) value                        { return value{shape: shapePath, want: w} }
func shaped(s shape) value                       { return value{shape: s} }
func required(k key) key                         { k.required = true; return k }
func only(k key, c condition) key                { k.when = c; return k }
func fallback(k key, choice string) key          { k.fallback = choice; return k }
func entry(name string, v value, doc string) key { return key{name: name, value: v, doc: doc} }

// find returns the key of that name, or nil.
func (k *kind) find(name string) *key {
	i := slices.IndexFunc(k.keys, func(e key) bool { return e.name == name })
	if i < 0 {
		return nil
	}
	return &k.keys[i]
}

// names lists the keys.
func (k *kind) names() []string {
	names := make([]string, len(k.keys))
	for i, e := range k.keys {
		names[i] = e.name
	}
	return names
}

// merged is a kind that has every key of kinds and asks only for what all of them ask for. It stands in where it cannot
// be told which of them is meant.
func merged(name string, kinds []*kind) *kind {
	all := &kind{name: name}
	for _, k := range kinds {
		for _, e := range k.keys {
			if all.find(e.name) == nil {
				e.required = everywhere(kinds, e.name)
				all.keys = append(all.keys, e)
			}
		}
	}
	return all
}

func everywhere(kinds []*kind, name string) bool {
	return !slices.ContainsFunc(kinds, func(k *kind) bool {
		e := k.find(name)
		return e == nil || !e.required
	})
}
