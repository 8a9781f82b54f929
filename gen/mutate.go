package gen

import (
	"fmt"
	"maps"
	"slices"
)

// A Mutant is an operation of which one rule says something else than the spec. A conformance suite that is worth its
// name notices each of them.
type Mutant struct {
	Operation *Operation // the changed one
	Change    string     // what was changed, as in "rule 2, put instance: mode create"
}

// String names the mutant.
func (m Mutant) String() string { return m.Operation.Name + ", " + m.Change }

// Mutants returns every way in which one rule of one operation can be wrong: left out, without one of its conditions or
// results, with another outcome or mode. The order is that of the spec.
func Mutants(spec *Spec) []Mutant {
	var mutants []Mutant
	for _, o := range spec.Operations {
		for i, r := range o.Rules {
			for _, change := range mutations(spec, o, r) {
				changed := *o
				changed.Rules = slices.Clone(o.Rules)
				if change.rule == nil {
					changed.Rules = slices.Delete(changed.Rules, i, i+1)
				} else {
					changed.Rules[i] = change.rule
				}
				what := fmt.Sprintf("rule %d, %s: %s", i+1, r.title(), change.what)
				mutants = append(mutants, Mutant{Operation: &changed, Change: what})
			}
		}
	}
	return mutants
}

// title is the verb and what it works on.
func (r *Rule) title() string {
	if r.Record == nil {
		return string(r.Verb)
	}
	return string(r.Verb) + " " + r.Record.Name
}

// A mutation is another rule in the place of one; nil for none.
type mutation struct {
	what string
	rule *Rule
}

// A mutator collects the mutations of one rule.
type mutator struct {
	of    *Rule
	found []mutation
}

// try adds a mutation.
func (m *mutator) try(what string, change func(*Rule)) {
	changed := *m.of
	changed.Into = maps.Clone(m.of.Into)
	change(&changed)
	m.found = append(m.found, mutation{what, &changed})
}

// mutations returns what a rule could wrongly be.
func mutations(spec *Spec, o *Operation, r *Rule) []mutation {
	m := &mutator{of: r}
	if !o.Stream || r.Verb != VerbWatch { // a stream without its watch has nothing to return
		m.found = append(m.found, mutation{"left out", nil})
	}
	m.conditions()
	m.outcomes(anError(spec, o))
	m.modes()
	m.views()
	for _, result := range slices.Sorted(maps.Keys(r.Into)) {
		if len(r.Into) > 1 { // a rule's only result is missing when the rule is
			m.try("without its result "+result, func(r *Rule) { delete(r.Into, result) })
		}
	}
	return m.found
}

// conditions leaves out what makes a rule apply to some records only.
func (m *mutator) conditions() {
	r := m.of
	if r.Generation != nil {
		m.try("without generation", func(r *Rule) { r.Generation = nil })
	}
	if r.Owner != nil && r.Verb != VerbRequireOwner { // which without an owner is as if it were left out
		m.try("without owner", func(r *Rule) { r.Owner, r.Generation = nil, nil })
	}
	if r.Verb == VerbRequireTerm {
		m.try("asks only for the record", func(r *Rule) {
			r.Verb, r.Absent = VerbRequireOwner, Outcome{Error: r.Else}
		})
	}
}

// outcomes turns success into failure and the other way round.
func (m *mutator) outcomes(other *Error) {
	flip := func(name string, outcome func(*Rule) *Outcome) {
		switch o := *outcome(m.of); {
		case o.OK && other != nil:
			m.try(name+" is "+other.Name, func(r *Rule) { *outcome(r) = Outcome{Error: other} })
		case o.Error != nil && m.of.Verb != VerbAwait: // which has nothing to return for what is not there
			m.try(name+" is ok", func(r *Rule) { *outcome(r) = Outcome{OK: true} })
		}
	}
	flip("missing", func(r *Rule) *Outcome { return &r.Missing })
	flip("absent", func(r *Rule) *Outcome { return &r.Absent })
	flip("exists", func(r *Rule) *Outcome { return &r.Exists })
}

// modes puts in another way.
func (m *mutator) modes() {
	for _, mode := range []Mode{ModeCreate, ModeInPlace, ModeTakeOver} {
		if m.of.Mode != "" && m.of.Mode != mode {
			m.try("mode "+string(mode), func(r *Rule) { r.Mode, r.Exists = mode, Outcome{} })
		}
	}
}

// views watches more, or less, than is asked for.
func (m *mutator) views() {
	if m.of.Verb != VerbWatch {
		return
	}
	switch r := m.of; {
	case r.Key != nil:
		m.try("all records of the scope", func(r *Rule) { r.Key = nil })
		m.try("the head", func(r *Rule) { r.Key, r.Head = nil, true })
	case r.Head:
		m.try("all records of the scope", func(r *Rule) { r.Head = false })
	default:
		m.try("the head", func(r *Rule) { r.Head = true })
	}
}

// anError is one that the operation could wrongly raise: one of its own if it has any.
func anError(spec *Spec, o *Operation) *Error {
	if len(o.Errors) > 0 {
		return o.Errors[0]
	}
	for _, e := range spec.Errors {
		if e.Origin == OriginOperation {
			return e
		}
	}
	return nil
}

// mutantsOf are the spec's mutants, as Go code.
func mutantsOf(spec *Spec) []mutant {
	var written []mutant
	for _, m := range Mutants(spec) {
		w := meaningOf(m.Operation)
		w.Name = fmt.Sprintf("%sMutant%d", w.Name, len(written))
		written = append(written, mutant{Mutant: m, meaning: w})
	}
	return written
}

// A mutant is a Mutant whose meaning has been written.
type mutant struct {
	Mutant
	meaning
}
