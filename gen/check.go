package gen

import (
	"maps"
	"slices"
	"strings"
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
	// vague are types, records and errors that were not understood in full, so that there may be more to them.
	vague map[any]bool
	used  map[any]bool     // types and errors that something refers to
	put   map[*Record]bool // those that some rule puts
	// lostTypes and lostRules say that references were not understood, so that what seems unused need not be.
	lostTypes, lostRules bool
	// open are the sections that define more than is known, because something in them was not understood.
	open        map[string]bool
	uses        map[string]*use // of names that the spec does not define, by section and name
	constrained map[*Type]bool  // what constrains has found
	// session is the Go type of session ids, as records have them.
	session string
}

// build makes the spec that root describes. It is sound if nothing was noted.
func build(found *problems, root *mapping) *Spec {
	c := &checker{
		problems: found, spec: &Spec{},
		types: map[string]*Type{}, errors: map[string]*Error{},
		records: map[string]*Record{}, structs: map[string]*Record{}, interfaces: map[string]bool{},
		vague: map[any]bool{}, used: map[any]bool{}, put: map[*Record]bool{}, constrained: map[*Type]bool{},
		open: map[string]bool{}, uses: map[string]*use{},
	}
	if root == nil {
		return c.spec
	}
	for _, section := range []string{"types", "errors", "records", "interfaces"} {
		nameless := func(d *datum) bool { return d.mapping.name == "" }
		c.open[section] = root.partial(section) || slices.ContainsFunc(root.items(section), nameless)
	}
	c.open["errors"] = c.open["errors"] || !root.has("errors")
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
	unique := c.namesOf("operation")
	for _, d := range root.items("operations") {
		unique.add(d.mapping.name, d.mapping.position("name"))
		c.spec.Operations = append(c.spec.Operations, c.operation(d.mapping))
	}
	for i, d := range root.items("interfaces") {
		c.fillInterface(c.spec.Interfaces[i], d.mapping)
	}
	c.checkClashes()
	c.checkUse()
	c.countUses()
	return c.spec
}

// A use is where a name is used that the spec does not define, and how often.
type use struct {
	problem *Problem
	count   int
}

// undefined notes a name that a section of the spec does not define, once for all its uses. It is nil for another one
// of them, and where the definition may be one that was not understood.
func (c *checker) undefined(at Position, section, name string, known []string) *Problem {
	if c.open[section] {
		return nil
	}
	if u := c.uses[section+name]; u != nil {
		u.count++
		if at.Line < u.problem.Pos.Line {
			u.problem.Pos = at
		}
		return nil
	}
	problem := c.unknown(at, strings.TrimSuffix(section, "s"), name, known)
	c.uses[section+name] = &use{problem: problem, count: 1}
	return problem
}

// countUses says of names that the spec does not define how often they are used.
func (c *checker) countUses() {
	for _, u := range c.uses {
		if u.count > 1 {
			u.problem.Message += ", here and " + plural(u.count-1, "more time")
		}
	}
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
		n.problems.add(at, "duplicate %s %s", n.what, quoted(name)).
			expect("another name; the first is at line %d", first.Line)
		return
	}
	n.seen[name] = at
}

// keys lists the names of a map.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
