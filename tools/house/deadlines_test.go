package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// clocks are what one calculates deadlines with.
var clocks = map[string][]string{
	"time":    {"Now", "Since", "Until"},
	"context": {"WithDeadline", "WithDeadlineCause"},
	"driver":  {"MomentOf"}, // Now notes when a question was sent; nothing else is an adapter's to calculate with
}

// TestAdaptersCalculateNoDeadlines keeps the arithmetic of leases, sessions and horizons in one place, which is
// reception/renewal.go: an adapter says how long an answer is good for, and looks at no clock.
func TestAdaptersCalculateNoDeadlines(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(filepath.Join("..", "..", "backends"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		seen++
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, use := range readsClock(file) {
			t.Errorf("%s: an adapter must not look at the clock: return how long an answer is good for",
				files.Position(use.Pos()))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("there is no adapter to look at")
	}
}

// TestClockIsFound shows that the test above can fail.
func TestClockIsFound(t *testing.T) {
	source := `package p; import "time"; func late(t time.Time) bool { return time.Since(t) > time.Second }`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if uses := readsClock(file); len(uses) != 1 {
		t.Errorf("%d uses of the clock were found, want 1", len(uses))
	}
}

// readsClock finds the uses of a clock.
func readsClock(file *ast.File) (uses []ast.Node) {
	ast.Inspect(file, func(n ast.Node) bool {
		if use, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := use.X.(*ast.Ident); ok && slices.Contains(clocks[pkg.Name], use.Sel.Name) {
				uses = append(uses, use)
			}
		}
		return true
	})
	return uses
}
