package gen

import (
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// A form is a pattern that names of a shape have, and the pattern in words.
type form struct {
	pattern *regexp.Regexp
	words   string
}

const (
	exportedWords = "a name that Go exports, of ASCII letters and digits, such as GoodName"
	lowerWords    = "a name of ASCII letters and digits that starts with a lower-case letter, such as goodName"
)

var (
	exportedName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	fieldPath    = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)*$`)
	lowerName    = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
)

// forms are the shapes with a pattern. The JSON schema has the same patterns.
var forms = map[shape]form{
	shapeExported: {exportedName, exportedWords},
	shapeLower:    {lowerName, lowerWords},
	shapeTag:      {regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*|-)$`), "letters, digits and underscores, or -"},
	shapePath:     {fieldPath, "a path of fields, such as Field or Field.Inner"},
	shapeField:    {exportedName, exportedWords},
	shapeError:    {exportedName, exportedWords},
	shapeRecord:   {lowerName, lowerWords},
	shapeTypeName: {regexp.MustCompile(`^(string|int|[A-Z][A-Za-z0-9]*)$`), "string, int or the name of a type"},
	shapeOutcome:  {regexp.MustCompile(`^(ok|[A-Z][A-Za-z0-9]*)$`), "ok or the name of an error"},
}

// scalar decodes a value without parts.
func (d *decoder) scalar(node *yaml.Node, key string, v *value) *datum {
	switch v.shape {
	case shapeFlag, shapeBool:
		return d.truth(node, key, v.shape)
	case shapeDoc:
		return d.doc(node, key)
	}
	if !d.isText(node, key) {
		return nil
	}
	datum := &datum{at: positionOf(node), text: node.Value}
	switch {
	case strings.TrimSpace(node.Value) == "":
		d.found.add(datum.at, "%s is empty", quoted(key)).expect("some text")
	case strings.ContainsFunc(node.Value, unicode.IsControl):
		d.found.add(datum.at, "%s has more than one line, or a control character", quoted(key)).expect("one line")
	case strings.TrimSpace(node.Value) != node.Value:
		d.found.add(datum.at, "%s has blanks around it", quoted(key)).
			expect("%s", quoted(strings.TrimSpace(node.Value)))
	case d.wellFormed(datum, key, v):
		return datum
	}
	return nil
}

// wellFormed says whether a text has the form that its shape asks for.
func (d *decoder) wellFormed(datum *datum, key string, v *value) bool {
	if v.shape == shapeWord && !slices.Contains(v.choices, datum.text) {
		d.found.unknown(datum.at, strings.TrimSuffix(key, "s"), datum.text, v.choices)
		return false
	}
	form, ok := forms[v.shape]
	if ok && !form.pattern.MatchString(datum.text) {
		d.found.add(datum.at, "%s does not do as %s", quoted(datum.text), quoted(key)).expect("%s", form.words)
		return false
	}
	if v.shape == shapeLower && (token.IsKeyword(datum.text) || types.Universe.Lookup(datum.text) != nil) {
		d.found.add(datum.at, "%s means something else in Go", quoted(datum.text)).
			expect("a name that is neither a keyword nor predeclared")
		return false
	}
	return true
}

func (d *decoder) isText(node *yaml.Node, key string) bool {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!str" && node.Style&yaml.TaggedStyle == 0 {
		return true
	}
	expected := "text"
	if node.Kind == yaml.ScalarNode && node.Value != "" {
		expected = "text; in quotes, if this is meant"
	}
	d.mismatch(node, quoted(key), "text", expected)
	return false
}

// truth decodes true, and false where that says something.
func (d *decoder) truth(node *yaml.Node, key string, s shape) *datum {
	switch {
	case node.Kind != yaml.ScalarNode || node.Tag != "!!bool" || node.Style&yaml.TaggedStyle != 0:
		expected := "true or false"
		if s == shapeFlag {
			expected = "true"
		}
		d.mismatch(node, quoted(key), expected, expected)
		return nil
	case s == shapeFlag && !isTrue(node):
		d.found.add(positionOf(node), "%s says what leaving it out says", quoted(key)).
			expect("true, or no %s at all", quoted(key))
		return nil
	}
	return &datum{at: positionOf(node), text: strconv.FormatBool(isTrue(node))}
}

func isTrue(node *yaml.Node) bool { return strings.EqualFold(node.Value, "true") }

var (
	lineEnd    = regexp.MustCompile(`\n`)
	blankLines = regexp.MustCompile(`\n\s*\n`)
)

// doc decodes paragraphs: their lines are joined, and blank lines part them. Where YAML has folded the lines already,
// every line break that is left is a paragraph's end.
func (d *decoder) doc(node *yaml.Node, key string) *datum {
	if !d.isText(node, key) {
		return nil
	}
	end := lineEnd
	if node.Style&yaml.LiteralStyle != 0 {
		end = blankLines
	}
	var paragraphs []string
	for _, paragraph := range end.Split(node.Value, -1) {
		if words := strings.Fields(paragraph); len(words) > 0 {
			paragraphs = append(paragraphs, strings.Join(words, " "))
		}
	}
	text := strings.Join(paragraphs, "\n\n")
	switch {
	case text == "":
		d.found.add(positionOf(node), "%s is empty", quoted(key)).expect("some text")
		return nil
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }):
		d.found.add(positionOf(node), "%s has a control character", quoted(key)).expect("text")
		return nil
	}
	return &datum{at: positionOf(node), text: text}
}

// bounds decodes [min, max].
func (d *decoder) bounds(node *yaml.Node, key string) *datum {
	const expected = "[min, max], two whole numbers"
	if node.Kind != yaml.SequenceNode || len(node.Content) != 2 {
		if node.Kind == yaml.SequenceNode {
			d.found.add(positionOf(node), "%s has %d items", quoted(key), len(node.Content)).expect(expected)
		} else {
			d.mismatch(node, quoted(key), "a list", expected)
		}
		return nil
	}
	var limits [2]int
	for i, item := range node.Content {
		n, err := strconv.Atoi(item.Value)
		if item.Kind != yaml.ScalarNode || item.Tag != "!!int" || err != nil || strconv.Itoa(n) != item.Value {
			d.found.add(positionOf(item), "%s has no plain whole number here", quoted(key)).expect(expected)
			return nil
		}
		limits[i] = n
	}
	return &datum{at: positionOf(node), bounds: &Range{Min: limits[0], Max: limits[1]}}
}
