package gen

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// patience is much more than Load takes for anything, and much less than what is quadratic takes for a mebibyte.
const patience = 2 * time.Minute

// loadInTime loads a spec and fails if that takes for ever.
func loadInTime(tb testing.TB, source string) error {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := Load("spec.yaml", []byte(source))
		if err != nil {
			_ = err.Error() // may be long, and must not take long either
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		tb.Fatalf("loading takes more than %v", patience)
		return nil
	}
}

// fill strings together what item makes of numbers, until that is size bytes.
func fill(size int, item func(n int) string) string {
	var b strings.Builder
	for n := 0; b.Len() < size; n++ {
		b.WriteString(item(n))
	}
	return b.String()
}

// repeat makes about as much as a spec may have.
func repeat(text string) string { return strings.Repeat(text, (maxSize-4096)/len(text)) }

// many makes as many different things as show what is quadratic.
func many(item func(n int) string) string { return fill(maxSize/4, item) }

// A spec that is made to be expensive is refused like any other.
func TestHostileSpecs(t *testing.T) {
	t.Parallel()
	steps := ""
	for n := 0; len(steps) < maxSize-4096; n++ {
		steps += strings.Repeat(" ", n) + "a:\n"
	}
	for name, source := range map[string]string{
		"brackets":            repeat("["),
		"closed brackets":     strings.Repeat("[", maxSize/2) + strings.Repeat("]", maxSize/2),
		"braces":              repeat("{"),
		"nested flow":         repeat("[{a: "),
		"deep but no deeper":  strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"dashes":              repeat("- "),
		"question marks":      repeat("? "),
		"colons":              repeat("a: "),
		"steps":               steps,
		"quotes":              repeat(`"`),
		"one long line":       "errors: " + repeat("x"),
		"one long key":        repeat("x") + ": 1",
		"empty lines":         repeat("\n"),
		"comments":            repeat("#\n"),
		"items with comments": "errors:\n" + many(func(int) string { return "- # x\n" }),
		"billion laughs": "a: &a [x, x, x, x, x, x, x, x, x]\n" + many(func(n int) string {
			return fmt.Sprintf("k%d: &k%d [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n", n, n)
		}),
		"anchors":            many(func(n int) string { return fmt.Sprintf("- &a%d x\n", n) }),
		"merge keys":         many(func(n int) string { return "- {<<: {a: b}}\n" }),
		"duplicate keys":     repeat("name: a\n"),
		"unknown keys":       many(func(n int) string { return fmt.Sprintf("errrs%d: a\n", n) }),
		"unknown long keys":  many(func(n int) string { return fmt.Sprintf("%s%d: a\n", strings.Repeat("operations", 300), n) }),
		"late syntax error":  "errors:\n" + repeat("- {name: A}\n") + "- {name\n",
		"late bad colon":     "errors:\n" + repeat("- {name: A}\n") + "- name: a: b\n",
		"early syntax error": "errors: [}\n" + repeat("- {name: A}\n"),
		"unclosed quote":     "errors: \"" + repeat("- {name: A}\n"),
		"types and typos":    "types:\n" + many(func(n int) string { return fmt.Sprintf("- {name: Type%d, base: Typo%d, map: {key: Typ%d}}\n", n, n, n) }),
		"fields and typos":   "records:\n- name: a\n  fields:\n" + many(func(n int) string { return fmt.Sprintf("  - {name: F%d, type: Tpye%d}\n", n, n) }),
		"errors and typos":   "errors:\n" + many(func(n int) string { return fmt.Sprintf("- {name: Name%d, origin: naem%d}\n", n, n) }),
		"operations and typos": least + many(func(n int) string {
			return fmt.Sprintf("  - {name: Op%d, errors: [Er%d], rules: [{close: session, id: A.B.C, missing: Clsed%d}]}\n", n, n, n)
		}),
		"rules": least + "  - name: Act\n    doc: Act.\n    atomic: true\n    in: [{name: S, type: string, doc: S.}]\n    rules:\n" +
			repeat("      - {renew: session, id: S, else: SessionExpired}\n"),
		"inputs": least + "  - name: Act\n    doc: Act.\n    atomic: true\n    rules: [{close: session, id: S, missing: ok}]\n    in:\n" +
			many(func(n int) string { return fmt.Sprintf("    - {name: S%d, type: string, doc: S.}\n", n) }),
		"a diamond of types": "types:\n" + many(func(n int) string {
			return fmt.Sprintf("- {name: T%d, doc: T., packages: [reception], fields: [{name: A, type: T%d, doc: A.}, {name: B, type: T%d, doc: B.}]}\n", n, n+1, n+1)
		}) + least,
		"a chain of types": "types:\n" + many(func(n int) string {
			return fmt.Sprintf("- {name: T%d, doc: T., packages: [reception], fields: [{name: A, type: '*T%d', doc: A.}]}\n", n, n+1)
		}) + least,
		"a long path":   least + "  - {name: Act, rules: [{close: session, missing: ok, id: " + repeat("A.") + "A}]}\n",
		"a long type":   least + "  - {name: Act, in: [{name: A, type: '" + repeat("[]") + "A'}]}\n",
		"a long regexp": "types:\n- {name: A, base: string, pattern: '^" + repeat("(a|b)*") + "$'}\n" + least,
		"nested regexp": "types:\n- {name: A, base: string, pattern: '^" + strings.Repeat("((a{1,9})", 9) + "$'}\n" + least,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := loadInTime(t, source); err == nil {
				t.Error("this loads")
			}
		})
	}
}
