package gen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"maps"
	"slices"
	"strings"
)

// dataScalars are the predeclared types of data.
var dataScalars = map[string]bool{
	"bool": true, "string": true, "int": true, "int32": true, "int64": true, "uint32": true, "uint64": true,
	"float64": true,
}

// predeclared are the predeclared types that a type expression may name.
var predeclared = append(slices.Sorted(maps.Keys(dataScalars)), "any", "byte", "error", "rune")

// qualified are the types of the standard library that a type expression may name, with how many type arguments each
// takes.
var qualified = map[string]map[string]int{
	"context": {"Context": 0, "CancelFunc": 0, "CancelCauseFunc": 0},
	"time":    {"Duration": 0, "Time": 0},
	"iter":    {"Seq": 1, "Seq2": 2},
}

// maxTypeText bounds type expressions.
const maxTypeText = 200

// typeRef resolves a type expression that stands in these packages. Its Expr is nil if something in it is wrong, and
// that is noted.
func (c *checker) typeRef(d *datum, packages []string) TypeRef {
	ref := TypeRef{}
	if d != nil {
		ref = c.resolve(d, packages)
	}
	c.lostTypes = c.lostTypes || ref.Expr == nil
	return ref
}

func (c *checker) resolve(d *datum, packages []string) TypeRef {
	if len(d.text) > maxTypeText {
		c.add(d.at, "a type of %d bytes", len(d.text)).expect("at most %d", maxTypeText)
		return TypeRef{}
	}
	text, variadic := strings.CutPrefix(d.text, "...")
	e, err := parser.ParseExpr(text)
	if err != nil {
		c.add(d.at, "%s is no type", quoted(d.text)).expect("a type expression of Go")
		return TypeRef{}
	}
	if variadic {
		e = &ast.Ellipsis{Elt: e}
	}
	r := resolver{checker: c, at: d.at, packages: packages, sound: true, names: map[string]named{}}
	r.expr(e)
	if !r.sound {
		return TypeRef{}
	}
	ref := TypeRef{Pos: d.at, Expr: e, names: r.names}
	if len(packages) > 0 {
		ref.home = packages[0]
	}
	ref.Text = ref.text()
	target := e
	if pointer, ok := e.(*ast.StarExpr); ok {
		target = pointer.X
	}
	if name, ok := target.(*ast.Ident); ok {
		ref.Type, ref.Record = c.types[name.Name], c.structs[name.Name]
	}
	return ref
}

// A resolver resolves the names of one type expression.
type resolver struct {
	*checker
	at       Position
	packages []string
	names    map[string]named
	sound    bool
}

func (r *resolver) refuse(what, expected string) {
	r.sound = false
	r.add(r.at, "%s", what).expect("%s", expected)
}

func (r *resolver) expr(e ast.Expr) {
	switch e := e.(type) {
	case *ast.Ident:
		r.name(e.Name)
	case *ast.SelectorExpr:
		r.qualified(e, 0)
	case *ast.StarExpr:
		r.expr(e.X)
	case *ast.Ellipsis:
		r.expr(e.Elt)
	case *ast.ChanType:
		r.expr(e.Value)
	case *ast.MapType:
		r.expr(e.Key)
		r.expr(e.Value)
		if !isScalar(TypeRef{names: r.names}, e.Key) && r.sound {
			r.refuse("the keys of this map are no scalars", "scalars")
		}
	case *ast.ArrayType:
		if e.Len != nil {
			r.refuse("an array", "a slice")
			return
		}
		r.expr(e.Elt)
	case *ast.IndexExpr:
		r.generic(e.X, e.Index)
	case *ast.IndexListExpr:
		r.generic(e.X, e.Indices...)
	case *ast.FuncType:
		for _, t := range slices.Concat(fieldTypes(e.Params), fieldTypes(e.Results)) {
			r.expr(t)
		}
	default:
		r.refuse("this is no type that a spec may use",
			"names, pointers, slices, maps, channels, functions, and the types of "+enumerated(keys(qualified)))
	}
}

func (r *resolver) generic(x ast.Expr, arguments ...ast.Expr) {
	if selector, ok := x.(*ast.SelectorExpr); ok {
		r.qualified(selector, len(arguments))
	} else {
		r.refuse("type arguments for what takes none", "them with iter.Seq and iter.Seq2 only")
	}
	for _, a := range arguments {
		r.expr(a)
	}
}

// name resolves a name without a package.
func (r *resolver) name(name string) {
	if n, ok := r.find(name); ok {
		r.names[name] = n
		known := n.base != "" || len(n.packages) > 0 // else it is noted where the type is
		r.sound = known && r.reachable(r.at, n, name, r.packages) && r.sound
		return
	}
	if slices.Contains(predeclared, name) {
		return
	}
	r.sound = false
	if r.open["records"] || r.open["interfaces"] {
		return
	}
	known := slices.Concat(keys(r.types), keys(r.structs), keys(r.interfaces), predeclared)
	if problem := r.undefined(r.at, "types", name, known); problem != nil {
		problem.expect("a type, record or interface of the spec, or a predeclared type")
	}
}

// find gives what a name of the spec stands for.
func (c *checker) find(name string) (named, bool) {
	switch t := c.types[name]; {
	case t != nil:
		c.used[t] = true
		return t.named(), true
	case c.structs[name] != nil:
		return named{packages: []string{packageDriver}}, true
	case c.interfaces[name]:
		return named{packages: []string{packageReception}}, true
	}
	return named{}, false
}

// qualified resolves a name of a package.
func (r *resolver) qualified(e *ast.SelectorExpr, arguments int) {
	pkg, ok := e.X.(*ast.Ident)
	if !ok {
		r.refuse("this is no type that a spec may use", "package.Type")
		return
	}
	exported, known := qualified[pkg.Name]
	if !known {
		r.sound = false
		r.unknown(r.at, "package", pkg.Name, keys(qualified)).
			expect("%s; names of the spec stand without a package", enumerated(keys(qualified)))
		return
	}
	switch takes, known := exported[e.Sel.Name]; {
	case !known:
		r.sound = false
		r.unknown(r.at, "type", pkg.Name+"."+e.Sel.Name, prefixed(pkg.Name+".", keys(exported)))
	case takes != arguments:
		r.refuse(pkg.Name+"."+e.Sel.Name+" with another number of type arguments than it takes",
			plural(takes, "type argument"))
	}
}

// reachable says whether something that is named name can be used in all of packages: driver does not import
// reception, and what exists in both of them is made of what exists in both.
func (c *checker) reachable(at Position, n named, name string, packages []string) bool {
	if n.base != "" || len(n.packages) == 0 {
		return true
	}
	for _, pkg := range packages {
		if len(packages) == 1 && pkg == packageReception || slices.Contains(n.packages, pkg) {
			continue
		}
		c.add(at, "%s does not live in package %s", quoted(name), pkg).
			expect("a type with %s among its packages", pkg)
		return false
	}
	return true
}

func prefixed(prefix string, names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = prefix + name
	}
	return all
}

func plural(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
