package gen

import (
	"strings"
	"testing"
)

func TestSuggest(t *testing.T) {
	known := []string{"Closed", "NotLeader", "NoLeader", "Unavailable", "string"}
	for name, want := range map[string]string{
		"closed":       "Closed",      // case
		"Colsed":       "Closed",      // two letters swapped
		"Clos":         "",            // too far off for its length
		"NotLeadr":     "NotLeader",   // the nearest of two
		"srting":       "string",      // two letters swapped, the first ones
		"Unaviable":    "Unavailable", // a letter swapped and one missing
		"X":            "",            // one letter is like any other
		"Unrecognized": "",
		"":             "",
	} {
		if got := (&problems{suggesting: suggestionWork}).suggest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if got := (&problems{suggesting: 3}).suggest("Unavailabel", known); got != "" {
		t.Errorf("got %q without the work that it takes", got)
	}
}

// However long a line is, a problem shows what surrounds the place, and the caret stands below it.
func TestExcerpt(t *testing.T) {
	for name, c := range map[string]struct {
		line   string
		column int
		want   byte
	}{
		"start":  {"^" + strings.Repeat("x", 200), 1, '^'},
		"middle": {strings.Repeat("x", 1000) + "^" + strings.Repeat("x", 1000), 1001, '^'},
		"end":    {strings.Repeat("x", 1000) + "^", 1001, '^'},
		"behind": {strings.Repeat("x", 1000), 1001, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := &SpecError{
				Name: "spec.yaml", lines: []string{c.line},
				Problems: []Problem{{Pos: Position{1, c.column}, Message: "wrong"}},
			}
			lines := strings.Split(e.Error(), "\n")
			shown, caret := []rune(lines[1]), strings.IndexByte(lines[2], '^')
			switch {
			case len(shown) > windowWidth+20:
				t.Errorf("%d characters", len(shown))
			case c.want == 0 && caret != len(shown):
				t.Errorf("the caret is at %d, behind it is %d", caret, len(shown))
			case c.want != 0 && shown[caret] != rune(c.want):
				t.Errorf("the caret points at %q:\n%s", shown[caret], e)
			}
		})
	}
}
