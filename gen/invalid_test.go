package gen

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// invalidSpecs are the specs with mistakes; each has its error beside it.
func invalidSpecs(tb testing.TB) []string {
	tb.Helper()
	specs, err := filepath.Glob("testdata/invalid/*.yaml")
	if err != nil || len(specs) < 60 {
		tb.Fatalf("%d specs, error %v", len(specs), err)
	}
	return specs
}

// Every mistake is reported, once, with its place, the line, and what would be right.
func TestInvalid(t *testing.T) {
	for _, spec := range invalidSpecs(t) {
		name := strings.TrimSuffix(filepath.Base(spec), ".yaml")
		t.Run(name, func(t *testing.T) {
			source, err := os.ReadFile(spec)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := Load(name+".yaml", source)
			var wrong *SpecError
			if loaded != nil || !errors.As(err, &wrong) {
				t.Fatalf("got %v and %v, want no spec and a *SpecError", loaded, err)
			}
			checkProblems(t, wrong, source)
			got, golden := wrong.Error()+"\n", strings.TrimSuffix(spec, ".yaml")+".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// checkProblems checks what holds for the problems of every spec: they are inside the file, in order, say what is wrong
// and what is right, and none is there twice.
func checkProblems(tb testing.TB, err *SpecError, source []byte) {
	tb.Helper()
	lines := strings.Split(string(source), "\n")
	seen := map[Problem]bool{}
	last := Position{}
	for _, p := range err.Problems {
		switch {
		case seen[p]:
			tb.Errorf("twice: %+v", p)
		case p.Message == "" || p.Expected == "" && p.Suggestion == "" && !strings.HasPrefix(p.Message, "not valid YAML"):
			tb.Errorf("does not help: %+v", p)
		case p.Pos.Line < last.Line || p.Pos.Line == last.Line && p.Pos.Column < last.Column:
			tb.Errorf("out of order: %+v", p)
		case p.Pos.Line < 1 || p.Pos.Line > len(lines) || p.Pos.Column < 1 || p.Pos.Column > len([]rune(lines[p.Pos.Line-1]))+1:
			tb.Errorf("not in the file: %+v", p)
		}
		seen[p], last = true, p.Pos
	}
}
