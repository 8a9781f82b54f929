package gen

import (
	"go/ast"
	"slices"
	"strings"
)

// Packages that generated types live in.
const (
	packageReception = "reception"
	packageDriver    = "driver"
)

// A named is what a name of the spec stands for in Go code: a base type that needs no name, or a type that lives in
// packages.
type named struct {
	base     string
	packages []string
	scalar   bool
}

// goName writes name, used in package home, as Go code for package pkg. A type that lives in several packages is
// qualified, if it has to be, by the one that the use belongs to.
func (n named) goName(name, home, pkg string) string {
	switch {
	case n.base != "":
		return n.base
	case slices.Contains(n.packages, pkg):
		return name
	case slices.Contains(n.packages, home):
		return home + "." + name
	default:
		return n.packages[0] + "." + name
	}
}

// named says how Go code writes the type.
func (t *Type) named() named {
	if len(t.Packages) == 0 {
		return named{base: t.Base, scalar: true}
	}
	return named{packages: t.Packages, scalar: t.Base != ""}
}

// Go writes the type's name as Go code for the package pkg: constraint-only scalars are their base type, and a type
// that does not live in pkg is qualified.
func (t *Type) Go(pkg string) string { return t.named().goName(t.Name, "", pkg) }

// Go writes the expression as Go code for the package pkg: constraint-only scalars become their base type, and names
// that do not live in pkg are qualified.
func (r TypeRef) Go(pkg string) string {
	w := typeWriter{pkg: pkg, ref: r}
	w.expr(r.Expr)
	return w.String()
}

// text writes the expression in the names of the spec.
func (r TypeRef) text() string {
	w := typeWriter{}
	w.expr(r.Expr)
	return w.String()
}

// A typeWriter writes the forms of type expressions that the loader lets pass.
type typeWriter struct {
	strings.Builder
	pkg string
	ref TypeRef
}

func (w *typeWriter) expr(e ast.Expr) {
	switch e := e.(type) {
	case *ast.Ident:
		w.name(e.Name)
	case *ast.SelectorExpr:
		w.expr(e.X)
		w.WriteString("." + e.Sel.Name)
	case *ast.StarExpr:
		w.prefixed("*", e.X)
	case *ast.Ellipsis:
		w.prefixed("...", e.Elt)
	case *ast.ArrayType:
		w.prefixed("[]", e.Elt)
	case *ast.MapType:
		w.prefixed("map[", e.Key)
		w.prefixed("]", e.Value)
	case *ast.ChanType:
		w.prefixed(chanPrefix(e), e.Value)
	case *ast.IndexExpr:
		w.generic(e.X, e.Index)
	case *ast.IndexListExpr:
		w.generic(e.X, e.Indices...)
	case *ast.FuncType:
		w.function(e)
	}
}

func (w *typeWriter) name(name string) {
	if n, ok := w.ref.names[name]; ok {
		name = n.goName(name, w.ref.home, w.pkg)
	}
	w.WriteString(name)
}

func (w *typeWriter) prefixed(prefix string, e ast.Expr) {
	w.WriteString(prefix)
	w.expr(e)
}

func (w *typeWriter) generic(name ast.Expr, arguments ...ast.Expr) {
	w.expr(name)
	w.WriteString("[")
	w.list(arguments)
	w.WriteString("]")
}

func (w *typeWriter) list(types []ast.Expr) {
	for i, e := range types {
		if i > 0 {
			w.WriteString(", ")
		}
		w.expr(e)
	}
}

// function writes a func type. The names of its parameters say nothing to the compiler and are left out.
func (w *typeWriter) function(f *ast.FuncType) {
	w.WriteString("func(")
	w.list(fieldTypes(f.Params))
	w.WriteString(")")
	switch results := fieldTypes(f.Results); len(results) {
	case 0:
	case 1:
		w.prefixed(" ", results[0])
	default:
		w.WriteString(" (")
		w.list(results)
		w.WriteString(")")
	}
}

// fieldTypes lists the types of parameters or results, one for each.
func fieldTypes(fields *ast.FieldList) []ast.Expr {
	if fields == nil {
		return nil
	}
	var types []ast.Expr
	for _, f := range fields.List {
		for range max(1, len(f.Names)) {
			types = append(types, f.Type)
		}
	}
	return types
}

func chanPrefix(c *ast.ChanType) string {
	switch c.Dir {
	case ast.SEND:
		return "chan<- "
	case ast.RECV:
		return "<-chan "
	default:
		return "chan "
	}
}
