package gen

// rule makes the rule that m describes.
func (o *operationChecker) rule(m *mapping) *Rule {
	r := &Rule{Pos: m.at, Verb: m.kind.rule.verb, Head: m.has("head"), Mode: Mode(m.text("mode")), source: m}
	if d := o.subject(m); d != nil {
		r.Record = o.records[d.text]
		if r.Record == nil {
			o.undefined(d.at, "records", d.text, keys(o.records))
			o.doubt = true
		}
		o.used[r.Record] = true
		o.put[r.Record] = o.put[r.Record] || r.Verb == VerbPut
	}
	if r.Record != nil && (r.Record.Scope == nil || r.Record.Key == nil) {
		o.doubt = true
	}
	o.doubt = o.doubt || len(m.broken) > 0 || m.unsure || m.lacks
	o.checkRoles(r)
	o.paths(r)
	o.outcomes(r)
	r.Set = o.assignments(r)
	r.Into = o.results(r)
	if r.Verb == VerbPut {
		o.checkPut(r)
	}
	return r
}

// subject is what names the record that a rule is about.
func (o *operationChecker) subject(m *mapping) *datum {
	for _, k := range m.kind.keys {
		if k.value.shape == shapeRecord {
			if m.broken[k.name] {
				o.doubt = true
			}
			return m.entries[k.name]
		}
	}
	return nil
}

// paths resolves the inputs that a rule's attributes name.
func (o *operationChecker) paths(r *Rule) {
	attributes := map[string]**Path{
		"scope": &r.Scope, "key": &r.Key, "id": &r.ID, "ttl": &r.TTL, "token": &r.Token, "session": &r.Session,
		"owner": &r.Owner, "generation": &r.Generation, "from": &r.From,
	}
	for _, k := range r.source.kind.keys {
		d := r.source.entries[k.name]
		if k.value.shape != shapePath || d == nil {
			continue
		}
		if p := o.input(d); p != nil {
			*attributes[k.name] = p
			o.expectType(d, p, k.value.want, r.Record)
		}
	}
}

// input resolves a path into the request.
func (o *operationChecker) input(d *datum) *Path {
	p := o.path(o.inputs, d)
	if p == nil {
		o.doubt = true
		return nil
	}
	o.taken[p.Fields[0]] = true
	return p
}

// outcomes resolves what a rule raises.
func (o *operationChecker) outcomes(r *Rule) {
	outcome := func(key string) Outcome {
		switch d := r.source.entries[key]; {
		case d == nil:
			return Outcome{}
		case d.text == wordOK:
			return Outcome{OK: true}
		default:
			return Outcome{Error: o.raises(d)}
		}
	}
	r.Missing, r.Absent, r.Exists = outcome("missing"), outcome("absent"), outcome("exists")
	r.Else = outcome("else").Error
}

// results resolves which fields of the response a rule sets.
func (o *operationChecker) results(r *Rule) map[string]*Field {
	d := r.source.entries["into"]
	if d == nil {
		return nil
	}
	o.doubt = o.doubt || d.partial
	into := map[string]*Field{}
	for _, p := range d.pairs {
		result := o.result(r, p.key)
		f := findField(o.op.Out, p.value.text)
		switch {
		case f == nil && !o.m.partial("out"):
			problem := o.unknown(p.value.at, "field", p.value.text, fieldNames(o.op.Out))
			problem.Message += " in the response of " + o.m.title()
			fallthrough
		case f == nil, result == nil:
			o.doubt = true
			continue
		case o.set[f] > 0:
			o.add(p.value.at, "%s is set twice", quoted(f.Name)).
				expect("another field; the first rule is at line %d", o.set[f])
		}
		o.set[f] = p.value.at.Line
		into[result.name] = f
		if f.Type.Expr != nil {
			o.expectField(p.value, "field "+quoted(f.Name), f.Type, result.want, r.Record)
		}
	}
	for _, result := range r.source.kind.rule.results {
		if result.required && into[result.name] == nil && !o.doubt {
			o.add(d.at, "%s without the result %s", quoted("into"), quoted(result.name)).
				expect("%s: %s", result.name, result.doc)
		}
	}
	return into
}

// result gives a result of the rule's verb.
func (o *operationChecker) result(r *Rule, d *datum) *result {
	var known []string
	for _, result := range r.source.kind.rule.results {
		if result.name == d.text {
			return &result
		}
		known = append(known, result.name)
	}
	o.unknown(d.at, "result", d.text, known).Message += " of " + r.source.kind.name
	return nil
}
