package gen

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlPlace is what the YAML parser puts in front of its messages. Its line is often that of the construct around the
// mistake, or off by one, and it has no column, so locate looks for the place itself.
var yamlPlace = regexp.MustCompile(`^yaml: (line \d+: )?`)

// yamlHints say what to do about messages that do not.
var yamlHints = map[string]string{
	"mapping values are not allowed in this context": `one "key: value" a line; a text with ": " in it needs quotes`,
	"did not find expected key":                      "a key at the indentation of its neighbours",
	"could not find expected ':'":                    `"key: value"`,
	"found character that cannot start any token":    "quotes around a text that begins with @, ` or %",
	"found unexpected end of stream":                 "a closing quote",
	"did not find expected ',' or ']'":               "the list's closing bracket, with a comma between its items",
	"did not find expected ',' or '}'":               "the mapping's closing brace, with a comma between its entries",
	"did not find expected node content":             "a value",
	"did not find expected '-' indicator":            `"- " at the indentation of its neighbours`,
}

// syntaxError notes what the YAML parser says about source.
func syntaxError(found *problems, source []byte, err error) {
	message := yamlPlace.ReplaceAllString(err.Error(), "")
	problem := found.add(position(source, locate(source, err)), "not valid YAML: %s", message)
	problem.Expected = yamlHints[message]
}

// locateWork bounds the bytes that locate has parsed again.
const locateWork = 8 << 20

// locate gives the offset of the first thing that keeps source from being YAML: what follows the longest prefix that is
// valid. For a bracket or a quote that nothing closes, that is the bracket or the quote.
func locate(source []byte, err error) int {
	work := locateWork
	parses := func(to int) error {
		work -= to
		return yaml.Unmarshal(source[:to], new(yaml.Node))
	}
	// The parser stops where it fails, so a prefix that reaches at least that far fails with the same words.
	low, high := 0, len(source)
	for low < high && work > 0 {
		middle := (low + high) / 2
		if failure := parses(middle); failure != nil && failure.Error() == err.Error() {
			high = middle
		} else {
			low = middle + 1
		}
	}
	valid := high
	for valid > 0 && work > 0 && parses(valid) != nil {
		valid--
	}
	return skipBlank(source, valid)
}

// skipBlank gives the offset of the first thing in source, from an offset on, that is no space.
func skipBlank(source []byte, offset int) int {
	rest := bytes.TrimLeft(source[offset:], " \r\n")
	if len(rest) == 0 {
		return max(0, len(bytes.TrimRight(source, " \r\n"))-1)
	}
	return len(source) - len(rest)
}

// position says at which line and column an offset is.
func position(source []byte, offset int) Position {
	before := string(source[:offset])
	line := strings.LastIndex(before, "\n") + 1
	return Position{1 + strings.Count(before, "\n"), 1 + len([]rune(before[line:]))}
}
