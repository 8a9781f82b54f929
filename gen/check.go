package gen

import (
	"maps"
	"slices"
)

// A checker makes a Spec of decoded mappings. It resolves names and notes what does not make sense. What it cannot
// resolve it leaves out of the spec, and keeps quiet about whatever else would be wrong because of that.
type checker struct {
	*problems
	spec       *Spec
	types      map[string]*Type
	errors     map[string]*Error
	records    map[string]*Record // by the name that rules use
	structs    map[string]*Record // by the name of the Go type
	interfaces map[string]bool
	// vague are types, records and interfaces that were not understood in full, so that they may have more than is known.
	vague map[any]bool
	used  map[any]bool     // types and errors that something refers to
	put   map[*Record]bool // those that some rule puts
	// lostTypes and lostRules say that references were not understood, so that what seems unused need not be.
	lostTypes, lostRules bool
	// session is the Go type of session ids, as records have them.
	session string
}

// build makes the spec that root describes. It is sound if nothing was noted.
func build(found *problems, root *mapping) *Spec {
	c := &checker{
		problems: found, spec: &Spec{},
		types: map[string]*Type{}, errors: map[string]*Error{},
		records: map[string]*Record{}, structs: map[string]*Record{}, interfaces: map[string]bool{},
		vague: map[any]bool{}, used: map[any]bool{}, put: map[*Record]bool{},
	}
	if root == nil {
		return c.spec
	}
	c.lostTypes, c.lostRules = len(found.all) > 0, len(found.all) > 0
	// Names first: whatever refers to something may stand before it.
	types, records := c.declareTypes(root), c.declareRecords(root)
	c.declareErrors(root)
	c.declareInterfaces(root)
	for i, t := range c.spec.Types {
		c.fillType(t, types[i])
	}
	for i, r := range c.spec.Records {
		r.Fields = c.fields(records[i], "fields", []string{packageDriver}, true)
	}
	for i, t := range c.spec.Types {
		c.checkOptional(t, types[i])
	}
	c.checkNesting()
	for i, r := range c.spec.Records {
		c.fillRoles(r, records[i])
	}
	c.sessionType()
	for _, d := range root.items("operations") {
		c.spec.Operations = append(c.spec.Operations, c.operation(d.mapping))
	}
	for i, d := range root.items("interfaces") {
		c.fillInterface(c.spec.Interfaces[i], d.mapping)
	}
	c.checkClashes()
	c.checkUse()
	return c.spec
}

// names notes a second thing of the same name in the same place.
type names struct {
	*problems
	what string
	seen map[string]Position
}

func (c *checker) namesOf(what string) names { return names{c.problems, what, map[string]Position{}} }

// add notes name if it was there before.
func (n names) add(name string, at Position) {
	if name == "" {
		return
	}
	if first, twice := n.seen[name]; twice {
		n.problems.add(at, "duplicate %s %s", n.what, quoted(name)).expect("another name; the first is at line %d", first.Line)
		return
	}
	n.seen[name] = at
}

// keys lists the names of a map.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
