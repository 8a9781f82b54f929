package gen

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// declareTypes makes the types known by name, and what sort of type each is.
func (c *checker) declareTypes(root *mapping) []*mapping {
	var mappings []*mapping
	unique := c.namesOf("type")
	for _, d := range root.items("types") {
		m := d.mapping
		t := &Type{
			Pos: m.at, Name: m.name, Doc: m.text("doc"),
			Base: m.text("base"), Named: m.has("named"), Says: m.text("says"),
		}
		packages := c.namesOf("package")
		for _, p := range m.items("packages") {
			packages.add(p.text, p.at)
			t.Packages = append(t.Packages, p.text)
		}
		unique.add(m.name, m.position("name"))
		if c.types[m.name] == nil {
			c.types[m.name] = t
		}
		c.vague[t] = m.kind.sign.key == "" || m.partial(m.kind.sign.key)
		c.spec.Types = append(c.spec.Types, t)
		mappings = append(mappings, m)
	}
	return mappings
}

// fillType gives a declared type its content.
func (c *checker) fillType(t *Type, m *mapping) {
	c.fillConstraint(t, m)
	switch m.kind {
	case mapKind:
		c.fillMap(t, m)
	case structKind:
		c.fillStruct(t, m)
	}
	constrained := m.has("length") || m.has("range") || m.has("pattern") || m.has("format")
	switch {
	case constrained && !m.has("says"):
		c.add(m.at, "%s has a constraint and does not say it", m.title()).expect("says: must be …")
	case !constrained && m.entries["says"] != nil && !m.broken["base"]:
		c.add(m.keyPosition("says"), "%s says a constraint that it does not have", m.title()).
			expect("length, range, pattern or format; or no says")
	case !constrained && m.kind == scalarKind && !m.has("named") && !m.has("packages"):
		c.add(m.at, "%s is nothing but its base type", m.title()).
			expect("a constraint; or named: true, with packages, for a Go type of its own")
	}
}

// fillConstraint gives a type its constraints, each of which must refuse something and let something pass.
func (c *checker) fillConstraint(t *Type, m *mapping) {
	t.Length, t.Range = c.limits(m, "length"), c.limits(m, "range")
	t.Pattern, t.Format = m.text("pattern"), m.text("format")
	if l := t.Length; l != nil && l.Min < 0 {
		c.add(m.position("length"), "a length of %d", l.Min).expect("a minimum of 0 or more")
	}
	if t.Pattern == "" {
		return
	}
	if _, err := regexp.Compile(t.Pattern); err != nil {
		c.add(m.position("pattern"), "not a regular expression: %s", err).expect("the syntax of Go's package regexp")
		t.Pattern = ""
	} else if !strings.HasPrefix(t.Pattern, "^") || !strings.HasSuffix(t.Pattern, "$") {
		c.add(m.position("pattern"), "the pattern matches a part of a text").expect("^ in front and $ behind")
	}
}

func (c *checker) limits(m *mapping, key string) *Range {
	d := m.entries[key]
	if d == nil {
		return nil
	}
	if d.bounds.Min > d.bounds.Max {
		c.add(d.at, "no %s lies between %d and %d", key, d.bounds.Min, d.bounds.Max).expect("[min, max]")
		return nil
	}
	return d.bounds
}

// fillMap gives a map type its key and value.
func (c *checker) fillMap(t *Type, m *mapping) {
	d := m.entries["map"]
	if d == nil {
		return
	}
	t.Map = &MapType{Key: c.scalarType(t, d.mapping, "key"), Value: c.scalarType(t, d.mapping, "value")}
	if t.Map.Key != nil && t.Map.Key.Base != baseString {
		c.add(d.mapping.position("key"), "%s is no text", quoted(t.Map.Key.Name)).
			expect("string, or a type of the spec with base: string")
	}
}

// scalarType resolves the type of a map's keys or values.
func (c *checker) scalarType(user *Type, m *mapping, key string) *Type {
	name, at := m.text(key), m.position(key)
	if name == "" {
		return nil
	}
	if name == baseString || name == baseInt {
		return &Type{Pos: at, Name: name, Base: name}
	}
	t := c.types[name]
	if t == nil {
		if problem := c.undefined(at, "types", name, append(keys(c.types), baseString, baseInt)); problem != nil {
			problem.expect("string, int or a scalar of the spec")
		}
		c.lostTypes = true
		return nil
	}
	c.used[t] = true
	switch {
	case c.vague[t]:
		return nil
	case t.Base == "":
		c.add(at, "%s is no scalar", quoted(name)).expect("string, int or a scalar of the spec")
		return nil
	}
	c.reachable(at, t.named(), name, user.Packages)
	return t
}

// fillStruct gives a struct type its fields.
func (c *checker) fillStruct(t *Type, m *mapping) {
	inJSON := c.namesOf("JSON name")
	t.Fields = c.fields(m, "fields", t.Packages, slices.Contains(t.Packages, packageDriver))
	for i, d := range m.items("fields") {
		f := t.Fields[i]
		f.JSON = d.mapping.text("json")
		f.Optional = d.mapping.has("optional")
		switch f.JSON {
		case "":
			inJSON.add(f.Name, d.mapping.position("name"))
		case "-":
		default:
			inJSON.add(f.JSON, d.mapping.position("json"))
		}
	}
}

// checkOptional notes optional fields that are optional anyway. It needs all types to be filled.
func (c *checker) checkOptional(t *Type, m *mapping) {
	for i, d := range m.items("fields") {
		f := t.Fields[i]
		if f.Optional && f.Type.Expr != nil && (f.Type.Type == nil || !c.vague[f.Type.Type]) && !refusesEmpty(f.Type) {
			c.add(d.mapping.keyPosition("optional"), "%s is optional anyway", d.mapping.title()).
				expect("a type whose constraint refuses the empty value; or no optional")
		}
	}
}

// refusesEmpty says whether the constraint of the type refuses the type's empty value.
func refusesEmpty(ref TypeRef) bool {
	t := ref.Type
	if t == nil || ref.Text != t.Name {
		return false
	}
	switch {
	case t.Length != nil && t.Length.Min > 0, t.Format == formatHost:
		return true
	case t.Range != nil && (t.Range.Min > 0 || t.Range.Max < 0):
		return true
	case t.Pattern == "":
		return false
	}
	matched, err := regexp.MatchString(t.Pattern, "")
	return err == nil && !matched
}

// fields decodes the fields of a struct, a record, a request or a response that stand in these packages.
func (c *checker) fields(m *mapping, key string, packages []string, data bool) []*Field {
	var fields []*Field
	unique := c.namesOf("field")
	for _, d := range m.items(key) {
		f := &Field{Pos: d.at, Name: d.mapping.name, Doc: d.mapping.text("doc")}
		unique.add(f.Name, d.mapping.position("name"))
		f.Type = c.typeRef(d.mapping.entries["type"], packages)
		_, variadic := f.Type.Expr.(*ast.Ellipsis)
		switch {
		case variadic:
			c.add(f.Type.Pos, "%s is no type of a field", quoted(f.Type.Text)).expect("a type without ... in front")
			f.Type = TypeRef{}
		case data && f.Type.Expr != nil && !isData(f.Type):
			c.add(f.Type.Pos, "%s is no data that can be stored", quoted(f.Type.Text)).
				expect("a scalar, a slice of scalars, time.Duration, time.Time, or a type or record of the spec")
			f.Type = TypeRef{}
		}
		fields = append(fields, f)
	}
	return fields
}

// isData says whether values of the type can be copied and compared: backends store them.
func isData(ref TypeRef) bool {
	e := ref.Expr
	if slice, ok := e.(*ast.ArrayType); ok {
		return isScalar(ref, slice.Elt)
	}
	if name, ok := e.(*ast.Ident); ok && ref.names[name.Name].packages != nil {
		return true
	}
	return isScalar(ref, e)
}

func isScalar(ref TypeRef, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		n, spec := ref.names[e.Name]
		return spec && n.scalar || !spec && dataScalars[e.Name]
	case *ast.SelectorExpr:
		return slices.Contains([]string{"Duration", "Time"}, e.Sel.Name)
	}
	return false
}
