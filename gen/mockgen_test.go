package gen

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The mocks are made from a template, and what the real mockgens make of the same interfaces is the oracle: whoever
// knows theirs finds every type, function and method, with the same signature.
func TestMocksHaveTheAPIOfMockgen(t *testing.T) {
	for _, root := range []string{moduleDir, "testdata/golden/public/out"} {
		for _, flavour := range []struct{ dir, mockgen string }{
			{"reception/mock", "github.com/golang/mock/mockgen"},
			{"reception/ubermock", "go.uber.org/mock/mockgen"},
		} {
			for _, file := range []struct{ mocks, source string }{
				{"interfaces.gen.go", "reception/interfaces.gen.go"},
				{"backend.gen.go", "reception/driver/backend.gen.go"},
			} {
				t.Run(path.Join(root, flavour.dir, file.mocks), func(t *testing.T) {
					t.Parallel()
					ours, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(flavour.dir), file.mocks))
					if err != nil {
						t.Fatal(err)
					}
					theirs := mockgen(t, flavour.mockgen, filepath.Join(root, filepath.FromSlash(file.source)))
					compareAPI(t, exported(t, ours), exported(t, theirs))
				})
			}
		}
	}
}

func compareAPI(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(want) < 10 {
		t.Errorf("mockgen has made no more than %v", want)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s\n got %s\nwant %s", name, got[name], want[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("mockgen has no %s", name)
		}
	}
}

// mockgen runs one of the pinned mockgens on a file of interfaces.
func mockgen(t *testing.T, tool, source string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "mock.go")
	output, ok := command(t, filepath.Join(moduleDir, "tools", "dev"), "go", "tool", tool,
		"-source="+absolute(t, source), "-destination="+name, "-package=mock")
	if !ok {
		t.Fatalf("%s: %s", tool, output)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// exported are the exported declarations of a file: what they are by name, with imports spelled out and without the
// names of parameters.
func exported(t *testing.T, source []byte) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	w := apiWriter{t, files, map[string]string{}}
	for _, i := range file.Imports {
		importPath := strings.Trim(i.Path.Value, `"`)
		name := path.Base(importPath)
		if i.Name != nil {
			name = i.Name.Name
		}
		w.imports[name] = strings.Replace(importPath, "/gen/testdata/golden/public/out", "", 1)
	}
	found := map[string]string{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = w.list(d.Recv) + "." + name
			}
			if d.Name.IsExported() {
				found[name] = "func" + w.list(d.Type.Params) + w.list(d.Type.Results)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() {
					found[s.Name.Name] = "type"
				}
			}
		}
	}
	return found
}

// An apiWriter writes types so that those of two files compare.
type apiWriter struct {
	t       *testing.T
	files   *token.FileSet
	imports map[string]string // paths by name
}

func (w apiWriter) list(fields *ast.FieldList) string {
	var types []string
	for _, f := range fieldTypes(fields) {
		types = append(types, w.expression(f))
	}
	return "(" + strings.Join(types, ", ") + ")"
}

func (w apiWriter) expression(e ast.Expr) string {
	ast.Inspect(e, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if name, ok := s.X.(*ast.Ident); ok && w.imports[name.Name] != "" {
				name.Name = w.imports[name.Name]
			}
		}
		return true
	})
	var b bytes.Buffer
	if err := format.Node(&b, w.files, e); err != nil {
		w.t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), "interface{}", "any")
}
