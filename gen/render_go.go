package gen

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

const modulePath = "github.com/go-reception/sdk"

// importPaths says where the packages come from that generated code mentions. Templates have no import declarations:
// what a file needs depends on the spec, so it is read off the rendered code.
var importPaths = map[string]string{
	"context":   "context",
	"errors":    "errors",
	"iter":      "iter",
	"maps":      "maps",
	"reflect":   "reflect",
	"regexp":    "regexp",
	"slices":    "slices",
	"strconv":   "strconv",
	"time":      "time",
	"utf8":      "unicode/utf8",
	"driver":    modulePath + "/reception/driver",
	"kernel":    modulePath + "/fake/internal/kernel",
	"reception": modulePath + "/reception",
}

// goFile makes a file of rendered declarations: header, package clause, imports, the guard, all of it formatted.
func (p *page) goFile(body []byte, gomock string) ([]byte, error) {
	guard := ""
	if !bytes.Contains(body, []byte("const "+p.Digest())) {
		guard = p.guard() + "\n\n"
	}
	imports, err := importsOf(guard+string(body), gomock)
	if err != nil {
		return nil, err
	}
	source := fmt.Sprintf("%s\n\npackage %s\n\n%s%s%s", Header, p.Package, imports, guard, body)
	return formatted(source)
}

// formatted is the source as gofmt has it, with the parameters of long functions on a line of their own.
func formatted(source string) ([]byte, error) {
	plain, err := format.Source([]byte(source))
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, source)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", plain, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var folded bytes.Buffer
	done := 0
	for _, declaration := range file.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || files.Position(f.Body.Lbrace).Column <= lineWidth {
			continue
		}
		opening, closing := files.Position(f.Type.Params.Opening).Offset+1, files.Position(f.Type.Params.Closing).Offset
		fmt.Fprintf(&folded, "%s\n%s,\n", plain[done:opening], plain[opening:closing])
		done = closing
	}
	folded.Write(plain[done:])
	return format.Source(folded.Bytes())
}

// guard is a declaration that compiles only together with the driver of the same spec.
func (p *page) guard() string {
	digest := p.Digest()
	if p.Package != "driver" {
		digest = "driver." + digest
	}
	return "// A tree of which only a part was regenerated does not compile.\nconst _ = " + digest
}

// importsOf renders the import declaration that the declarations need, grouped the way goimports does.
func importsOf(declarations, gomock string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+declarations, 0)
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, declarations)
	}
	groups := make([][]string, 3) // the standard library, other modules, this one
	seen := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		name, ok := selector.X.(*ast.Ident)
		if !ok || seen[name.Name] {
			return true
		}
		seen[name.Name] = true
		switch path := importPaths[name.Name]; {
		case name.Name == "gomock":
			groups[1] = append(groups[1], gomock)
		case strings.HasPrefix(path, modulePath):
			groups[2] = append(groups[2], path)
		case path != "":
			groups[0] = append(groups[0], path)
		}
		return true
	})
	return importDeclaration(groups), nil
}

func importDeclaration(groups [][]string) string {
	all := slices.Concat(groups...)
	switch len(all) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("import %q\n\n", all[0])
	}
	var b strings.Builder
	b.WriteString("import (\n")
	for _, group := range groups {
		slices.Sort(group)
		for _, path := range group {
			fmt.Fprintf(&b, "\t%q\n", path)
		}
		b.WriteString("\n") // gofmt drops it where no group follows
	}
	b.WriteString(")\n\n")
	return b.String()
}
