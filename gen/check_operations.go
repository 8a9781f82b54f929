package gen

import "slices"

// An operationChecker makes one operation.
type operationChecker struct {
	*checker
	m      *mapping
	op     *Operation
	inputs pathRoot
	taken  map[*Field]bool // inputs that a rule uses
	set    map[*Field]int  // outputs that a rule sets, and the line where it does
	raised map[*Error]bool // errors that a rule raises
	partly bool            // it declares errors that are not known
	doubt  bool            // some rule was not understood, so that what seems unused need not be
}

// operation makes the operation that m describes.
func (c *checker) operation(m *mapping) *Operation {
	op := &Operation{
		Pos: m.at, Name: m.name, Doc: m.text("doc"),
		Stream: m.text("kind") == wordStream, Atomic: m.text("atomic") == "true",
	}
	o := &operationChecker{
		checker: c, m: m, op: op,
		taken: map[*Field]bool{}, set: map[*Field]int{}, raised: map[*Error]bool{},
	}
	op.In = c.fields(m, "in", []string{packageDriver}, true)
	op.Out = c.fields(m, "out", []string{packageDriver}, false)
	op.Errors = o.declared()
	o.inputs = pathRoot{fields: op.In, what: "the request of " + m.title(), vague: m.partial("in")}
	for _, d := range m.items("rules") {
		op.Rules = append(op.Rules, o.rule(d.mapping))
	}
	o.doubt = o.doubt || m.partial("rules")
	c.lostRules = c.lostRules || o.doubt || o.partly
	o.checkTraits()
	o.checkShape()
	if !o.doubt {
		o.checkUnused()
		o.checkObservable()
	}
	return op
}

// partial says whether a value has parts that were not understood.
func (m *mapping) partial(key string) bool {
	return m.broken[key] || m.entries[key] != nil && m.entries[key].partial
}

// declared resolves the operation's errors.
func (o *operationChecker) declared() []*Error {
	var errors []*Error
	unique := o.namesOf("error")
	o.partly = o.m.partial("errors")
	for _, d := range o.m.items("errors") {
		unique.add(d.text, d.at)
		e := o.errorNamed(d)
		switch {
		case e == nil:
			o.partly = true
			continue
		case e.Origin == OriginAny:
			o.add(d.at, "any operation may return %s", quoted(e.Name)).expect("errors of origin operation only")
		case e.Origin != OriginOperation && !o.vague[e]:
			o.add(d.at, "%s is an error of the %s", quoted(e.Name), e.Origin).expect("errors of origin operation only")
		}
		if !slices.Contains(errors, e) {
			errors = append(errors, e)
		}
	}
	return errors
}

// errorNamed resolves the name of an error.
func (c *checker) errorNamed(d *datum) *Error {
	e := c.errors[d.text]
	if e == nil {
		c.undefined(d.at, "errors", d.text, keys(c.errors))
		return nil
	}
	c.used[e] = true
	return e
}

// raises notes an error that a rule cannot raise, or that the operation does not declare.
func (o *operationChecker) raises(d *datum) *Error {
	e := o.errorNamed(d)
	if e == nil || o.vague[e] {
		o.doubt = true
		return e
	}
	o.raised[e] = true
	switch {
	case e.Origin == OriginAny || slices.Contains(o.op.Errors, e):
	case e.Origin != OriginOperation:
		o.add(d.at, "no rule can raise %s: it is an error of the %s", quoted(e.Name), e.Origin).
			expect("an error of origin operation or any")
	case !o.partly:
		o.add(d.at, "%s does not declare %s", o.m.title(), quoted(e.Name)).expect("it among the operation's errors")
	}
	return e
}

// checkTraits notes traits that say something else than the rules.
func (o *operationChecker) checkTraits() {
	unique := o.namesOf("trait")
	has := map[string]*datum{}
	for _, d := range o.m.items("traits") {
		unique.add(d.text, d.at)
		has[d.text] = d
	}
	o.op.Readonly = has[wordReadonly] != nil
	o.op.Idempotent = has[wordIdempotent] != nil
	o.op.Blocking = has[wordBlocking] != nil
	if o.m.partial("traits") || o.m.partial("rules") || !o.m.has("rules") {
		return
	}
	writes := slices.IndexFunc(o.op.Rules, func(r *Rule) bool { return r.source.kind.rule.writes })
	waits := slices.IndexFunc(o.op.Rules, func(r *Rule) bool { return r.Verb == VerbAwait })
	o.trait(wordReadonly, has[wordReadonly], writes < 0, "none of its rules writes", "a rule of it writes")
	o.trait(wordBlocking, has[wordBlocking], waits >= 0, "a rule of it waits", "none of its rules waits")
	switch d := has[wordIdempotent]; {
	case o.op.Stream && d != nil:
		o.add(d.at, "%s is a stream: there is no outcome that one might not know", o.m.title()).expect("no idempotent")
	case !o.op.Stream && writes < 0 && d == nil:
		o.add(o.m.position("traits"), "%s writes nothing, so repeating it does no harm", o.m.title()).
			expect("the trait idempotent")
	}
}

// trait notes a trait that is there and should not be, or the other way round.
func (o *operationChecker) trait(name string, stated *datum, holds bool, because, becauseNot string) {
	switch {
	case holds && stated == nil:
		o.add(o.m.position("traits"), "%s is not marked %s, and %s", o.m.title(), name, because).
			expect("the trait %s", name)
	case !holds && stated != nil:
		o.add(stated.at, "%s is marked %s, and %s", o.m.title(), name, becauseNot).expect("no %s", name)
	}
}

// checkShape notes rules in an order that cannot be: a watch ends a stream, after nothing but requirements.
func (o *operationChecker) checkShape() {
	if o.m.text("atomic") == "false" && len(o.op.Rules) < 2 && !o.m.partial("rules") {
		o.add(o.m.position("atomic"), "nothing comes between the rules of %s: there are fewer than two", o.m.title()).
			expect("atomic: true")
	}
	if o.m.broken["kind"] {
		return
	}
	for i, r := range o.op.Rules {
		last := i == len(o.op.Rules)-1
		switch {
		case !o.op.Stream && r.Verb == VerbWatch:
			o.add(r.Pos, "a watch in an operation that is no stream").expect("kind: stream")
		case !o.op.Stream:
		case r.Verb == VerbWatch && !last:
			o.add(r.Pos, "rules after a watch").expect("the watch as the last rule")
		case r.Verb != VerbWatch && r.source.kind.sign.key != "require":
			o.add(r.Pos, "a stream that does something before its watch").expect("require rules only")
		case last && r.Verb != VerbWatch && !o.m.partial("rules"):
			o.add(r.Pos, "a stream without a watch").expect("watch as the last rule")
		}
		if r.Verb == VerbWatch {
			o.op.Watches = r.Record
		}
	}
}

// checkUnused notes what the operation's signature has and its rules do not.
func (o *operationChecker) checkUnused() {
	for i, f := range o.op.In {
		if !o.taken[f] && findField(o.op.In, f.Name) == f {
			o.add(f.Pos, "no rule uses %s", o.m.items("in")[i].mapping.title()).
				expect("a rule that names it, or no such field")
		}
	}
	for i, f := range o.op.Out {
		if !o.op.Stream && o.set[f] == 0 && findField(o.op.Out, f.Name) == f {
			o.add(f.Pos, "no rule sets %s", o.m.items("out")[i].mapping.title()).
				expect("a rule with it in its into, or no such field")
		}
	}
	for _, d := range o.m.items("errors") {
		if e := o.errors[d.text]; e != nil && e.Origin == OriginOperation && !o.raised[e] {
			o.add(d.at, "no rule of %s raises %s", o.m.title(), quoted(d.text)).
				expect("a rule that does, or no such error")
		}
	}
}
