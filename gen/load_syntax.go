package gen

import (
	"bytes"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlPlace is what the YAML parser puts in front of its messages. Its line is often that of the construct around the
// mistake, or off by one, and it has no column, so locate looks for the place itself.
var yamlPlace = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

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
const locateWork = 2 << 20

// locate gives the offset of the first thing that keeps source from being YAML: what follows the longest prefix that is
// valid. For a bracket or a quote that nothing closes, that is the bracket or the quote. Where looking for it takes too
// long, it is the line that the parser names.
func locate(source []byte, err error) int {
	l := locator{work: locateWork}
	from, to := l.section(source)
	section := source[from:to]
	failure := l.parse(section)
	if failure == nil {
		from, section, failure = 0, source, err // it takes more than a section to see the mistake
	}
	// The parser stops where it fails, so a prefix that reaches at least that far fails with the same words.
	end := sort.Search(len(section), func(length int) bool {
		e := l.parse(section[:length])
		return e != nil && e.Error() == failure.Error()
	})
	for end > 0 && l.work > 0 && l.parse(section[:end]) != nil {
		end--
	}
	if l.work <= 0 {
		return skipBlank(source, lineStart(source, err))
	}
	return skipBlank(source, from+end)
}

// A locator parses parts of a spec, as long as it has work left.
type locator struct{ work int }

// parse says what is wrong with text as YAML. It has nothing to say when the work is done.
func (l *locator) parse(text []byte) error {
	if l.work -= len(text); l.work < 0 {
		return nil
	}
	return yaml.Unmarshal(text, new(yaml.Node))
}

// section gives the bounds of the first section of a spec that is no valid YAML by itself: from a line that starts with
// a letter to the next one. The whole spec has sections that are short, compared to it.
func (l *locator) section(source []byte) (from, to int) {
	starts := sectionStart.FindAllIndex(source, -1)
	for i, start := range starts {
		from, to = start[0], len(source)
		if i+1 < len(starts) {
			to = starts[i+1][0]
		}
		if l.parse(source[from:to]) != nil {
			return from, to
		}
	}
	return 0, len(source)
}

var sectionStart = regexp.MustCompile(`(?m)^[A-Za-z]`)

// lineStart gives the offset of the line that the parser's message names, 0 without one.
func lineStart(source []byte, err error) int {
	match := yamlPlace.FindStringSubmatch(err.Error())
	number, _ := strconv.Atoi(match[1]) // none is 0
	offset := 0
	for ; number > 1; number-- {
		offset += bytes.IndexByte(source[offset:], '\n') + 1
	}
	return offset
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
