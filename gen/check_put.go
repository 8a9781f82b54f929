package gen

import (
	"slices"
	"strings"
)

// checkRoles notes conditions on roles that the record does not have.
func (o *operationChecker) checkRoles(r *Rule) {
	if r.Record == nil {
		return
	}
	roles := r.Record.source
	for _, role := range []string{"owner", "generation"} {
		if d := r.source.entries[role]; d != nil && !roles.has(role) && !roles.broken["owner"] {
			o.doubt = true
			o.add(r.source.keyPosition(role), "record %s has no %s", quoted(r.Record.Name), role).
				expect("a record with the role %s", role)
		}
	}
}

// assignments resolves the set of a put or an update.
func (o *operationChecker) assignments(r *Rule) []Assignment {
	d := r.source.entries["set"]
	if d == nil || r.Record == nil {
		return nil
	}
	o.doubt = o.doubt || d.partial
	root := pathRoot{fields: r.Record.Fields, what: "record " + quoted(r.Record.Name), vague: o.vague[r.Record]}
	var set []Assignment
	for _, p := range d.pairs {
		to, from := o.path(root, p.key), o.input(p.value)
		if to == nil || from == nil {
			o.doubt = true
			continue
		}
		if to.goType() != from.goType() {
			o.add(p.value.at, "%s is %s", quoted(p.value.text), from.goType()).
				expect("%s, as %s is", to.goType(), quoted(p.key.text))
		}
		if other := overlap(set, to); other != nil {
			o.add(p.key.at, "%s is set by %s too", quoted(p.key.text), quoted(other.String())).expect("one of them")
		}
		o.checkStamped(r, p.key, to)
		set = append(set, Assignment{To: to, From: from})
	}
	return set
}

// overlap gives a path that is set already and leads to, or into, what another one leads to.
func overlap(set []Assignment, to *Path) *Path {
	for _, a := range set {
		if a.To.within(to) || to.within(a.To) {
			return a.To
		}
	}
	return nil
}

// within says whether p leads to what other leads to, or into it.
func (p *Path) within(other *Path) bool {
	if p == nil || other == nil || len(p.Names) < len(other.Names) {
		return false
	}
	return slices.Equal(p.Names[:len(other.Names)], other.Names)
}

// checkStamped notes an assignment to what is not the rule's to set: what the backend stamps, and what tells which
// record an update is about.
func (o *operationChecker) checkStamped(r *Rule, d *datum, to *Path) {
	touches := func(role *Path) bool {
		return to.within(role) || r.Verb == VerbUpdate && role.within(to)
	}
	switch {
	case touches(r.Record.Order), touches(r.Record.Session):
		o.add(d.at, "%s is the backend's to set", quoted(d.text)).expect("fields other than the order and the session")
	case r.Verb == VerbUpdate && (touches(r.Record.Scope) || touches(r.Record.Key)):
		o.add(d.at, "%s tells which record it is", quoted(d.text)).expect("fields other than the scope and the key")
	}
}

// checkPut notes what is wrong with a put beside its names.
func (o *operationChecker) checkPut(r *Rule) {
	m, record := r.source, r.Record
	if record == nil || o.vague[record] {
		return
	}
	switch {
	case record.Permanent && m.has("session"):
		o.add(m.keyPosition("session"), "record %s is permanent", quoted(record.Name)).expect("no session")
		o.doubt = true
	case !record.Permanent && record.Session != nil && !m.has("session"):
		o.add(m.at, "record %s lives on a session, and this put names none", quoted(record.Name)).
			expect("session: the session to live on")
		o.doubt = true
	}
	if r.Into["displaced"] != nil && r.Mode != ModeTakeOver {
		o.add(m.position("into"), "a put that takes nothing over displaces nobody").
			expect("mode: takeover; or no displaced")
	}
	if r.Into["displaced"] != nil && !record.source.has("owner") {
		o.add(m.position("into"), "record %s has no owner, so nobody is displaced", quoted(record.Name)).
			expect("no displaced")
	}
	if m.has("set") && !o.doubt {
		o.checkComplete(r)
	}
}

// checkComplete notes fields of the record that a put with set leaves out.
func (o *operationChecker) checkComplete(r *Rule) {
	record := r.Record
	var missing []string
	given := func(p *Path) bool {
		return slices.ContainsFunc(r.Set, func(a Assignment) bool { return p.within(a.To) })
	}
	for _, role := range []*Path{record.Scope, record.Key, record.Owner, record.Generation} {
		if role != nil && !role.within(record.Session) && !given(role) {
			missing = append(missing, role.String())
		}
	}
	for _, f := range record.Fields {
		field := &Path{Names: []string{f.Name}}
		inside := func(p *Path) bool { return p.within(field) }
		set := slices.ContainsFunc(r.Set, func(a Assignment) bool { return inside(a.To) })
		noted := slices.ContainsFunc(missing, func(role string) bool {
			return inside(&Path{Names: strings.Split(role, ".")})
		})
		if !set && !noted && !inside(record.Order) && !inside(record.Session) {
			missing = append(missing, f.Name)
		}
	}
	if len(missing) > 0 {
		o.add(r.source.position("set"), "the record is left without %s", strings.Join(missing, ", ")).
			expect("a value for each field that the backend does not set")
		o.doubt = true
	}
}
