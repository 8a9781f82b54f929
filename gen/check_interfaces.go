package gen

import (
	"go/ast"
	"slices"
)

// declareInterfaces makes the interfaces known by name.
func (c *checker) declareInterfaces(root *mapping) {
	unique := c.namesOf("interface")
	for _, d := range root.items("interfaces") {
		m := d.mapping
		unique.add(m.name, m.position("name"))
		c.interfaces[m.name] = true
		c.spec.Interfaces = append(c.spec.Interfaces, &Interface{Pos: m.at, Name: m.name, Doc: m.text("doc")})
	}
}

// fillInterface gives a declared interface its methods.
func (c *checker) fillInterface(i *Interface, m *mapping) {
	unique := c.namesOf("method")
	for _, d := range m.items("methods") {
		method := c.method(d.mapping)
		unique.add(method.Name, d.mapping.position("name"))
		i.Methods = append(i.Methods, method)
	}
}

func (c *checker) method(m *mapping) *Method {
	method := &Method{Pos: m.at, Name: m.name, Doc: m.text("doc")}
	if m.name == expectMethod {
		c.add(m.position("name"), "mocks have a method %s of their own", expectMethod).expect("another name")
	}
	unique := c.namesOf("parameter")
	parameters := m.items("in")
	for i, d := range parameters {
		unique.add(d.mapping.name, d.mapping.position("name"))
		method.In = append(method.In, c.parameter(d.mapping, i == len(parameters)-1))
	}
	results := m.items("out")
	for i, d := range results {
		ref := c.typeRef(d, []string{packageReception})
		if _, variadic := ref.Expr.(*ast.Ellipsis); variadic {
			c.add(d.at, "%s is no type of a result", quoted(d.text)).expect("a type without ... in front")
		}
		if ref.Text == "error" && i < len(results)-1 {
			c.add(d.at, "the error is not the last result").expect("it as the last one")
		}
		method.Out = append(method.Out, ref)
	}
	c.methodErrors(method, m)
	return method
}

// methodErrors resolves the errors that a method returns.
func (c *checker) methodErrors(method *Method, m *mapping) {
	unique := c.namesOf("error")
	for _, d := range m.items("errors") {
		unique.add(d.text, d.at)
		if e := c.errorNamed(d); e != nil {
			method.Errors = append(method.Errors, e)
		}
	}
	returns := slices.ContainsFunc(method.Out, func(t TypeRef) bool { return t.Text == "error" || t.Expr == nil })
	if m.has("errors") && !returns && !m.partial("out") {
		c.add(m.keyPosition("errors"), "%s returns no error", m.title()).
			expect("error as its last result, or no errors")
	}
}

// parameter makes a parameter of a method.
func (c *checker) parameter(m *mapping, last bool) *Field {
	f := &Field{Pos: m.at, Name: m.name}
	f.Type = c.typeRef(m.entries["type"], []string{packageReception})
	if _, variadic := f.Type.Expr.(*ast.Ellipsis); variadic && !last {
		c.add(f.Type.Pos, "%s is not the last parameter", m.title()).expect("a type without ... in front")
	}
	if importPaths[f.Name] != "" || f.Name == "gomock" {
		c.add(m.position("name"), "%s means something in generated code", quoted(f.Name)).expect("another name")
	}
	if f.Type.Expr == nil && m.has("type") || f.Type.Type != nil && c.vague[f.Type.Type] {
		return f
	}
	f.Require = c.selection(m, f, "require", func(inner *Field) string {
		if !inner.Optional {
			return "is required anyway"
		}
		return ""
	})
	f.Only = c.selection(m, f, "only", func(inner *Field) string {
		if inner.Type.Expr != nil && !c.checks(inner) {
			return "has no constraint to check"
		}
		return ""
	})
	c.checkOnly(m, f)
	return f
}

// selection resolves a list of fields of a parameter's struct. fault says what keeps a field from being in the list.
func (c *checker) selection(m *mapping, f *Field, key string, fault func(*Field) string) []string {
	if !m.has(key) {
		return nil
	}
	root, ok := c.structOf(f)
	if !ok {
		c.add(m.keyPosition(key), "%s is no struct of the spec", m.title()).expect("no %s", key)
		return nil
	}
	var names []string
	unique := c.namesOf("field")
	for _, d := range m.items(key) {
		unique.add(d.text, d.at)
		inner := findField(root.fields, d.text)
		if inner == nil {
			c.unknown(d.at, "field", d.text, fieldNames(root.fields)).Message += " in " + root.what
			continue
		}
		if why := fault(inner); why != "" {
			c.add(d.at, "%s %s", quoted(d.text), why).expect("a field for which %s changes something", key)
		}
		names = append(names, d.text)
	}
	return names
}

// structOf is the struct that a parameter is or points to.
func (c *checker) structOf(f *Field) (pathRoot, bool) {
	if t := f.Type.Type; t != nil && t.Fields != nil {
		return pathRoot{fields: t.Fields, what: "type " + quoted(t.Name)}, true
	}
	return pathRoot{}, false
}

// checks says whether a value of the field can break a constraint.
func (c *checker) checks(f *Field) bool {
	return c.constrains(f.Type.Type)
}

// constrains says whether a value of the type can break a constraint, its own or one of its parts.
func (c *checker) constrains(t *Type) bool {
	if t == nil {
		return false
	}
	known, done := c.constrained[t]
	if !done {
		c.constrained[t] = false // while it is being looked at
		known = t.Length != nil || t.Range != nil || t.Pattern != "" || t.Format != "" ||
			t.Map != nil && (c.constrains(t.Map.Key) || c.constrains(t.Map.Value)) ||
			slices.ContainsFunc(t.Fields, c.checks)
		c.constrained[t] = known
	}
	return known
}

// checkOnly notes an only that leaves nothing out, or leaves out what is required.
func (c *checker) checkOnly(m *mapping, f *Field) {
	if len(f.Only) == 0 {
		return
	}
	for _, d := range m.items("require") {
		if slices.Contains(f.Require, d.text) && !slices.Contains(f.Only, d.text) {
			c.add(d.at, "%s is required and not checked", quoted(d.text)).expect("it in only too, or not in require")
		}
	}
	if left := slices.ContainsFunc(f.Type.Type.Fields, func(inner *Field) bool {
		return c.checks(inner) && !slices.Contains(f.Only, inner.Name)
	}); !left && !m.partial("only") {
		c.add(m.keyPosition("only"), "these are all fields that are checked").expect("no only")
	}
}
