package gen

import "strings"

// String is the path as a spec writes it; empty for none.
func (p *Path) String() string {
	if p == nil {
		return ""
	}
	return strings.Join(p.Names, ".")
}

// goType is the Go type of what the path leads to, in package driver.
func (p *Path) goType() string { return p.last().Type.Go(packageDriver) }

// A pathRoot is where paths start: a record, or the request of an operation.
type pathRoot struct {
	fields []*Field
	what   string
	vague  bool // it may have more fields
}

// path resolves a path. It is nil where that fails, which is noted, or where too little is known.
func (c *checker) path(root pathRoot, d *datum) *Path {
	if d == nil {
		return nil
	}
	p := &Path{Pos: d.at, Names: strings.Split(d.text, ".")}
	at := root
	for i, name := range p.Names {
		f := findField(at.fields, name)
		if f == nil {
			if !at.vague {
				c.unknown(d.at, "field", name, fieldNames(at.fields)).Message += " in " + at.what
			}
			return nil
		}
		p.Fields = append(p.Fields, f)
		if f.Type.Expr == nil {
			return nil
		}
		if i == len(p.Names)-1 {
			break
		}
		next, ok := c.inside(f)
		if !ok {
			c.add(d.at, "%s has no fields: it is %s", quoted(strings.Join(p.Names[:i+1], ".")), f.Type.Text).
				expect("a path that ends there, or leads through structs")
			return nil
		}
		at = next
	}
	return p
}

// inside is where paths go on that lead through a field; not ok if the field is no struct.
func (c *checker) inside(f *Field) (next pathRoot, ok bool) {
	t, r := f.Type.Type, f.Type.Record
	switch {
	case t != nil && f.Type.Text == t.Name && (t.Fields != nil || c.vague[t]):
		return pathRoot{fields: t.Fields, what: "type " + quoted(t.Name), vague: c.vague[t]}, true
	case r != nil && f.Type.Text == r.GoName():
		return pathRoot{fields: r.Fields, what: "record " + quoted(r.Name), vague: c.vague[r]}, true
	}
	return pathRoot{}, false
}

func findField(fields []*Field, name string) *Field {
	for _, f := range fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func fieldNames(fields []*Field) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Name
	}
	return all
}

// expectType notes a path that leads to something of another type than it has to. The record is the one that a rule
// is about.
func (c *checker) expectType(d *datum, p *Path, w want, r *Record) {
	c.expectField(d, quoted(d.text), p.last().Type, w, r)
}

func (c *checker) expectField(d *datum, what string, ref TypeRef, w want, r *Record) {
	goType := ref.Go(packageDriver)
	wanted, known := c.wanted(w, r)
	if !known || ref.Type != nil && c.vague[ref.Type] {
		return
	}
	switch {
	case w == wantString || w == wantSession && wanted == "":
		if goType == baseString || ref.Type != nil && ref.Text == ref.Type.Name && ref.Type.Base == baseString {
			return
		}
		wanted = "string, or a type with base: string"
	case goType == wanted:
		return
	}
	c.add(d.at, "%s is %s", what, goType).expect("%s", wanted)
}

// wanted is the Go type that fulfils a want; not known where a role that it depends on is missing, which is noted
// elsewhere.
func (c *checker) wanted(w want, r *Record) (goType string, known bool) {
	switch w {
	case wantString:
		return "", true
	case wantSession:
		return c.session, true
	case wantUint64:
		return "uint64", true
	case wantDuration:
		return "time.Duration", true
	case wantStrings:
		return "[]string", true
	case wantInt:
		return "int", true
	case wantBool:
		return "bool", true
	}
	if r == nil {
		return "", false
	}
	role := map[want]*Path{wantScope: r.Scope, wantKey: r.Key, wantOwner: r.Owner}[w]
	switch w {
	case wantRecord:
		return r.GoName(), true
	case wantPointer:
		return "*" + r.GoName(), true
	case wantPointers:
		return "[]*" + r.GoName(), true
	}
	if role == nil {
		return "", false
	}
	return role.goType(), true
}
