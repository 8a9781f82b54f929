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
		"parameters":     func(fields []*Field) string { return signature(p.parameters(fields)) },
		"results":        func(types []TypeRef) string { return results(p.goTypes(types)) },
		"clone":          cloneMethod,
		"toDriver":       toDriver,
		"fromDriver":     fromDriver,
		"entries":        entries,
		"constrained":    (*Type).constrained,
		"checked":        (*Field).checked,
		"scalar":         p.scalar,
		"argument":       p.argument,
		"limits":         limits,
		"patternName":    patternName,
		"pattern":        patternLiteral,
		"fieldCheck":     p.fieldCheck,
		"parameterCheck": p.parameterCheck,
		"value":          valueOf,
		"as":             stringFor,
		"meaning":        meaningOf,
		"mutants":        func() []mutant { return mutantsOf(p.Spec) },
		"words":          words,
		"role":           role,
		"traits":         traits,
		"sentinels":      sentinels,
		"markdown":       markdown,
		"item":           item,
		"cell":           cell,
		"anchor":         strings.ToLower,
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

// goTypes writes the types of fields and expressions as code of the page's package.
func (p *page) goTypes(types []TypeRef) []string {
	written := make([]string, len(types))
	for i, t := range types {
		written[i] = p.goType(t)
	}
	return written
}

// A parameter of a function, with its Go type.
type parameter struct{ name, goType string }

func (p *page) parameters(fields []*Field) []parameter {
	parameters := make([]parameter, len(fields))
	for i, f := range fields {
		parameters[i] = parameter{f.Name, p.goType(f.Type)}
	}
	return parameters
}

// signature writes parameters, naming a type once for neighbours that share it.
func signature(parameters []parameter) string {
	parts := make([]string, len(parameters))
	for i, p := range parameters {
		parts[i] = p.name
		if i+1 == len(parameters) || parameters[i+1].goType != p.goType {
			parts[i] += " " + p.goType
		}
	}
	return strings.Join(parts, ", ")
}

// results writes result types as they stand behind the parameters.
func results(types []string) string {
	switch len(types) {
	case 0:
		return ""
	case 1:
		return " " + types[0]
	}
	return " (" + strings.Join(types, ", ") + ")"
}
