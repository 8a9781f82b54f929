package gen

import (
	"slices"
	"strings"
	"text/template"
)

// A page is what a template sees: the spec, and the package that it writes for.
type page struct {
	*Spec
	Package string
}

func (p *page) funcs() template.FuncMap {
	return template.FuncMap{
		"comment":        comment,
		"lower":          func(name string) string { return lowerCamel(name, "Rule") },
		"links":          links,
		"goType":         p.goType,
		"typeName":       p.typeName,
		"parameters":     p.parameters,
		"results":        p.results,
		"clone":          cloneMethod,
		"toDriver":       toDriver,
		"fromDriver":     fromDriver,
		"constrained":    (*Type).constrained,
		"checked":        (*Field).checked,
		"scalar":         p.scalar,
		"argument":       p.argument,
		"limits":         limits,
		"patternName":    patternName,
		"pattern":        patternLiteral,
		"fieldCheck":     p.fieldCheck,
		"parameterCheck": p.parameterCheck,
		"value":          p.value,
		"as":             p.as,
		"meaning":        p.meaning,
	}
}

// Digest is the name of the constant that all files of one spec refer to.
func (p *page) Digest() string { return "Digest" + p.Spec.Digest[:12] }

// DriverTypes are the types that package driver has.
func (p *page) DriverTypes() []*Type { return p.typesIn("driver") }

// ReceptionTypes are the types that package reception has.
func (p *page) ReceptionTypes() []*Type { return p.typesIn("reception") }

// SharedTypes are the types that both packages have, each its own.
func (p *page) SharedTypes() []*Type {
	return slices.DeleteFunc(p.typesIn("driver"), func(t *Type) bool { return !t.in("reception") })
}

func (p *page) typesIn(pkg string) []*Type {
	return slices.DeleteFunc(slices.Clone(p.Types), func(t *Type) bool { return !t.in(pkg) })
}

func (t *Type) in(pkg string) bool { return slices.Contains(t.Packages, pkg) }

// An errorGroup is a group of errors with what it says above them.
type errorGroup struct {
	Origin Origin
	Title  string
	Errors []*Error
}

// ErrorGroups are the errors by origin.
func (p *page) ErrorGroups() []errorGroup {
	groups := []errorGroup{
		{Origin: OriginAny, Title: "Any operation may meet these."},
		{Origin: OriginOperation, Title: "Operations declare these."},
		{Origin: OriginClient, Title: "The client raises these above the backend."},
		{Origin: OriginAdapter, Title: "Single adapters raise these."},
	}
	for i := range groups {
		for _, e := range p.Errors {
			if e.Origin == groups[i].Origin {
				groups[i].Errors = append(groups[i].Errors, e)
			}
		}
	}
	return slices.DeleteFunc(groups, func(g errorGroup) bool { return len(g.Errors) == 0 })
}

// Sentinel is the name of the error's variable.
func (e *Error) Sentinel() string { return "Err" + e.Name }

// Comment is the doc of the error's variable.
func (e *Error) Comment() string {
	name := e.Sentinel()
	if e.Adapter != "" {
		name += " (" + e.Adapter + ")"
	}
	return renamed(e.Doc, e.Name, name)
}

// Method is the name of the operation's method on a backend.
func (o *Operation) Method() string {
	if o.Stream {
		return "Open" + o.Name
	}
	return o.Name
}

// Comment is the doc of the operation's method on a backend.
func (o *Operation) Comment() string { return renamed(o.Doc, o.Name, o.Method()) }

// renamed is doc, which starts with name, for something that is called otherwise in the code.
func renamed(doc, name, called string) string {
	if rest, ok := strings.CutPrefix(doc, name); ok {
		return called + rest
	}
	return doc
}

// links lists errors as doc links.
func links(errors []*Error) string {
	names := make([]string, len(errors))
	for i, e := range errors {
		names[i] = "[" + e.Sentinel() + "]"
	}
	return strings.Join(names, ", ")
}

// parameters writes what a method takes, naming a type once for neighbours that share it.
func (p *page) parameters(fields []*Field) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = f.Name
		if i+1 == len(fields) || p.goType(fields[i+1].Type) != p.goType(f.Type) {
			parts[i] += " " + p.goType(f.Type)
		}
	}
	return strings.Join(parts, ", ")
}

// results writes what a method returns, as it stands behind the parameters.
func (p *page) results(types []TypeRef) string {
	parts := make([]string, len(types))
	for i, t := range types {
		parts[i] = p.goType(t)
	}
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return " " + parts[0]
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
