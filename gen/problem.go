package gen

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A SpecError says what is wrong with a spec: its first syntax error, or else every mistake in it.
type SpecError struct {
	Name     string    // of the spec's file
	Problems []Problem // in the order of their positions
	lines    []string
}

// A Problem is one mistake in a spec.
type Problem struct {
	Pos        Position
	Message    string
	Expected   string // what would be right; may be empty
	Suggestion string // the name that was probably meant; may be empty
}

// Error shows each problem with its position, the line that it is in, and what would be right.
func (e *SpecError) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		e.write(&b, p)
	}
	return b.String()
}

func (e *SpecError) write(b *strings.Builder, p Problem) {
	fmt.Fprintf(b, "%s:%d:%d: %s", e.Name, p.Pos.Line, p.Pos.Column, p.Message)
	if p.Pos.Line <= len(e.lines) {
		text, column := window(e.lines[p.Pos.Line-1], p.Pos.Column)
		margin := fmt.Sprintf("%5d", p.Pos.Line)
		fmt.Fprintf(b, "\n%s | %s", margin, text)
		fmt.Fprintf(b, "\n%s | %s^", strings.Repeat(" ", len(margin)), strings.Repeat(" ", column-1))
	}
	if p.Expected != "" {
		b.WriteString("\n      expected " + p.Expected)
	}
	if p.Suggestion != "" {
		b.WriteString("\n      did you mean " + quoted(p.Suggestion) + "?")
	}
}

// windowWidth is how much of a line is shown. A line can be as long as a spec.
const windowWidth = 120

// window cuts a line down to what surrounds the column, and says where the column is then.
func window(line string, column int) (string, int) {
	runes := []rune(line)
	from := 0
	if column > windowWidth*3/4 {
		from = column - windowWidth/2
	}
	from = min(from, len(runes))
	to := min(from+windowWidth, len(runes))
	shown := strings.Map(printable, string(runes[from:to]))
	if from > 0 {
		shown, column = "…"+shown, column-from+1
	}
	if to < len(runes) {
		shown += "…"
	}
	return strings.TrimRight(shown, " "), min(column, utf8.RuneCountInString(shown)+1)
}

// printable keeps what a bad line contains from garbling a terminal.
func printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case !strconv.IsPrint(r):
		return '·'
	}
	return r
}

// quoted quotes a name from a spec, which may be as long as a spec.
func quoted(name string) string {
	const most = 60
	if utf8.RuneCountInString(name) > most {
		name = string([]rune(name)[:most]) + "…"
	}
	return strconv.Quote(name)
}

// problems collects mistakes.
type problems struct {
	all []*Problem
	// suggesting is the work left for suggestions, which are quadratic in the size of a hostile spec.
	suggesting int
}

// add notes a mistake. Its result takes what else there is to say.
func (p *problems) add(at Position, format string, arguments ...any) *Problem {
	problem := &Problem{Pos: at, Message: fmt.Sprintf(format, arguments...)}
	p.all = append(p.all, problem)
	return problem
}

// expect says what would be right.
func (p *Problem) expect(format string, arguments ...any) {
	p.Expected = fmt.Sprintf(format, arguments...)
}

// mostListed is how many names are listed that would have been right.
const mostListed = 20

// unknown notes that a name is none of those that are known. Things without a name are not.
func (p *problems) unknown(at Position, what, name string, known []string) *Problem {
	known = slices.DeleteFunc(slices.Clone(known), func(name string) bool { return name == "" })
	problem := p.add(at, "unknown %s %s", what, quoted(name))
	problem.Suggestion = p.suggest(name, known)
	switch {
	case len(known) == 0:
		problem.Expected = "nothing: there is none"
	case len(known) <= mostListed:
		problem.Expected = enumerated(known)
	default:
		problem.Expected = "a name that the spec knows"
	}
	return problem
}

// err is nil without problems, or the error that has them in order, each once.
func (p *problems) err(name string, source []byte) error {
	if len(p.all) == 0 {
		return nil
	}
	sorted := make([]Problem, len(p.all))
	for i, problem := range p.all {
		sorted[i] = *problem
	}
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	lines := strings.Split(string(source), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	return &SpecError{Name: name, Problems: slices.Compact(sorted), lines: lines}
}
