package gen

import (
	"go/token"
	"go/types"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	lineWidth = 120
	tabWidth  = 4
)

// comment renders text as a comment, indented by so many tabs and folded at the line width. Each line of text is a
// paragraph.
func comment(indent int, text string) string {
	tabs := strings.Repeat("\t", indent)
	width := lineWidth - indent*tabWidth - len("// ")
	var b strings.Builder
	for i, paragraph := range paragraphs(text) {
		if i > 0 {
			b.WriteString(tabs + "//\n")
		}
		for _, line := range fold(paragraph, width) {
			b.WriteString(tabs + "// " + line + "\n")
		}
	}
	return b.String()
}

// paragraphs splits text into its non-empty lines; a folded scalar of YAML ends a line only where a paragraph ends.
func paragraphs(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			all = append(all, strings.Join(words, " "))
		}
	}
	return all
}

// fold breaks text between words into lines of at most width characters, as far as its words allow.
func fold(text string, width int) []string {
	var lines []string
	line, length := "", 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		if line != "" && length+1+n > width {
			lines = append(lines, line)
			line, length = "", 0
		}
		if line != "" {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+n
	}
	return append(lines, line)
}

// upperFirst makes an exported name of a lower-case one.
func upperFirst(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[size:]
}

// lowerCamel makes an unexported name of an exported one: AddOne gives addOne, TTLOf ttlOf, ID id. What would be a
// keyword or hide a predeclared name gets a suffix.
func lowerCamel(name, suffix string) string {
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		if !unicode.IsUpper(r) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	lower := string(runes)
	if token.IsKeyword(lower) || types.Universe.Lookup(lower) != nil {
		return lower + suffix
	}
	return lower
}
