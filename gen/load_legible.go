package gen

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// legible says whether source is text that a person and a YAML parser read alike: UTF-8 in lines, of one document,
// without anything invisible. It notes the first thing that is not.
func legible(found *problems, source string) bool {
	if strings.HasPrefix(source, "\uFEFF") {
		found.add(Position{1, 1}, "the spec starts with a byte order mark").expect("UTF-8 without one")
		return false
	}
	started := false
	number, depth := 0, 0
	for line := range strings.Lines(source) {
		number++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if column, what, expected := illegible(line); what != "" {
			found.add(Position{number, column}, "%s", what).expect("%s", expected)
			return false
		}
		if what := marker(line); what != "" && (started || what != "a document") {
			found.add(Position{number, 1}, "%s begins here", what).expect("one document, without directives")
			return false
		}
		started = started || content(line)
		for column, r := range []rune(line) {
			if depth = max(0, depth+nesting[r]); depth > maxBrackets {
				tooDeep(found, Position{number, column + 1})
				return false
			}
		}
	}
	return true
}

// maxBrackets is how many brackets may be open at a place, those in texts and comments included: so many that only
// what is meant to exhaust a parser has them.
const maxBrackets = 1000

var nesting = map[rune]int{'[': 1, '{': 1, ']': -1, '}': -1}

// illegible gives the column, from 1, of the first thing in the line that does not belong into a spec.
func illegible(line string) (column int, what, expected string) {
	for i, r := range line {
		column++
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(line[i:], "\uFFFD"):
			return column, fmt.Sprintf("the byte 0x%02X is not valid UTF-8", line[i]), "UTF-8"
		case r == '\t':
			return column, "a tab", "spaces"
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point):
			return column, fmt.Sprintf("the invisible character %U", r), "text that shows what it says"
		}
	}
	return 0, "", ""
}

// marker says what a line begins that stands outside of documents. YAML knows such lines by their first characters,
// wherever they are.
func marker(line string) string {
	switch {
	case strings.HasPrefix(line, "%"):
		return "a directive"
	case line == "---" || strings.HasPrefix(line, "--- "):
		return "a document"
	case line == "..." || strings.HasPrefix(line, "... "):
		return "the end of a document"
	}
	return ""
}

// content says whether the line belongs to a document.
func content(line string) bool {
	text := strings.TrimLeft(line, " ")
	return text != "" && !strings.HasPrefix(text, "#")
}
