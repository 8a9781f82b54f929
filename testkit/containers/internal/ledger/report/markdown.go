package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// preface explains what the numbers are.
const preface = `# What the SDK costs

The ledger compares clients of the SDK with the vendors' bare clients, which do the least that gives the same result.
This page, its plots and [ledger.json](ledger.json) are written by one command, which needs Docker, but no image
registry:

` + "```sh\ngo tool task bench\n```" + `

**How to read it.** Client and server share one machine and its cores, so nobody knows what a time is worth elsewhere:
read the ratios. A ratio is the SDK's time (or count) over the bare client's, so 1.00 costs nothing. Both parties are in
one process, have records of the same size before them, and talk to the same server, in rounds: the odd ones measure
the bare client first and then the SDK, the even ones the SDK first. A round has a median; what is shown is the median
of the rounds' medians, in parentheses the least and the greatest of them. Where single operations are timed, *p99* is the
99th percentile over all rounds. The servers run without fsync, so writes take less time than on a disk, and what the
client adds weighs more. Misses are **bold**, and are explained in the notes below each table
([NOTES.md](NOTES.md) is written by hand). In the plots full marks are the SDK's, hollow ones the bare client's, and
bars reach from the least to the greatest round.
`

// minutes is how a time is written.
const minutes = "2006-01-02 15:04 MST"

// WriteMarkdown writes the report for people.
func (r *Report) WriteMarkdown(out io.Writer, notes Notes) error {
	p := &page{out: out}
	p.line("<!-- Written by `go tool task bench`. Do not edit: notes belong into NOTES.md. -->\n")
	p.line("%s", preface)
	r.writeRun(p)
	r.writeSummary(p)
	for i := range r.Figures {
		if f := &r.Figures[i]; len(f.Results) > 0 {
			f.write(p, notes)
		}
	}
	return p.err
}

// page remembers the first error.
type page struct {
	out io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// writeRun says where and how the run was made.
func (r *Report) writeRun(p *page) {
	p.line("## The run\n")
	if r.Quick {
		p.line("> This was a quick run, which shows that the ledger works. Its numbers mean nothing.\n")
	}
	if r.Machine.Load > 0.5 {
		p.line("> The machine was shared: its load was %.1f when the run began. That widens the ranges.\n", r.Machine.Load)
	}
	p.line("| | |\n|---|---|")
	p.line("| when | %s, in %.0f minutes |", r.Started.Format(minutes), math.Ceil(r.Seconds/60))
	for _, when := range r.Amended {
		p.line("| parts measured again | %s |", when)
	}
	p.line("| commit | %s |", r.Commit)
	p.line("| rounds | %d |", r.Rounds)
	p.line("| machine | %s, %d cores, %s |", r.Machine.CPU, r.Machine.Cores, r.Machine.Memory)
	p.line("| system | %s, %s |", r.Machine.System, r.Machine.Go)
	for _, what := range slices.Sorted(maps.Keys(r.Versions)) {
		p.line("| %s | %s |", what, r.Versions[what])
	}
	p.line("")
}

// writeSummary is one table of ratios for everything.
func (r *Report) writeSummary(p *page) {
	backends := r.compared()
	if len(backends) == 0 {
		return
	}
	p.line("## At a glance\n")
	p.line("SDK over bare client.\n")
	p.line("| | %s |\n|---|%s", strings.Join(backends, " | "), strings.Repeat("---:|", len(backends)))
	for i := range r.Figures {
		f := &r.Figures[i]
		for _, at := range f.rows() {
			cells := make([]string, len(backends))
			some := false
			for j, backend := range backends {
				result := f.find(&Result{Backend: backend, Measure: at.Measure}, at.N)
				if result != nil && result.Ratio != nil {
					cells[j], some = result.ratio(false), true
				}
			}
			if some {
				p.line("| %s | %s |", f.rowName(at), strings.Join(cells, " | "))
			}
		}
	}
	p.line("")
}

// compared are the backends that have a bare client.
func (r *Report) compared() []string {
	var names []string
	for _, f := range r.Figures {
		for _, result := range f.Results {
			if result.Ratio != nil && !slices.Contains(names, result.Backend) {
				names = append(names, result.Backend)
			}
		}
	}
	return names
}

// rows are the results that differ in more than the backend.
func (f *Figure) rows() []Result {
	var rows []Result
	for _, r := range f.Results {
		if !slices.ContainsFunc(rows, func(o Result) bool { return o.N == r.N && o.Measure == r.Measure }) {
			rows = append(rows, r)
		}
	}
	return rows
}

// rowName names a row of the summary.
func (f *Figure) rowName(r Result) string {
	name := f.Title
	if len(f.measures()) > 1 {
		name += ": " + r.Measure
	}
	if f.SizesOf != "" {
		name += fmt.Sprintf(", %s %s", thousands(r.N), f.SizesOf)
	}
	return name
}

// write writes a figure's section.
func (f *Figure) write(p *page, notes Notes) {
	p.line("## %s\n", f.Title)
	p.line("%s\n", f.Method)
	p.line("![%s](%s.svg)\n", f.Title, f.Name)
	head, rule := "| backend |", "|---|"
	if f.SizesOf != "" {
		head, rule = head+" "+f.SizesOf+" |", rule+"---:|"
	}
	p.line("%s measure | SDK / bare | bare | SDK | aims |\n%s---|---:|---:|---:|---|", head, rule)
	for i := range f.Results {
		r := &f.Results[i]
		row := "| " + r.Backend + " |"
		if f.SizesOf != "" {
			row += " " + thousands(r.N) + " |"
		}
		p.line("%s %s | %s | %s | %s | %s |",
			row, r.Measure, r.ratio(true), r.Bare.cell(r.Unit), r.SDK.cell(r.Unit), r.aims())
	}
	p.line("")
	for _, backend := range f.backends() {
		if note := notes[f.key(&Result{Backend: backend})]; note != "" {
			p.line("**%s.** %s\n", backend, note)
		}
	}
}

// backends are those of the results.
func (f *Figure) backends() []string {
	var names []string
	for _, r := range f.Results {
		if !slices.Contains(names, r.Backend) {
			names = append(names, r.Backend)
		}
	}
	return names
}

// ratio is a table's cell.
func (r *Result) ratio(spread bool) string {
	if r.Ratio == nil {
		return ""
	}
	text := fmt.Sprintf("%.2f", r.Ratio.Median)
	if r.missed() {
		text = "**" + text + "**"
	}
	if spread {
		text += fmt.Sprintf(" (%.2f–%.2f)", r.Ratio.Low, r.Ratio.High)
	}
	return text
}

// cell is a table's cell.
func (s *Sample) cell(unit Unit) string {
	if s == nil {
		return ""
	}
	text := fmt.Sprintf("%s (%s–%s)", digits(s.Median), digits(s.Low), digits(s.High))
	switch {
	case unit.timed():
		text += fmt.Sprintf(" %s, p99 %s", unit, digits(s.P99))
	case unit == PerSecond || unit == PerMinute || unit == Bytes || unit == Kilobytes:
		text += " " + string(unit)
	}
	return text
}

// aims is a table's cell.
func (r *Result) aims() string {
	cells := make([]string, 0, len(r.Aims))
	for _, v := range r.Aims {
		sign := "≤"
		if v.Least {
			sign = "≥"
		}
		text := fmt.Sprintf("%s %s %s", digits(v.Value), sign, digits(v.Limit))
		if v.Aim != "" {
			text += " " + v.Aim
		}
		if !v.Met {
			text = "**missed: " + strings.Replace(text, sign, "not "+sign, 1) + "**"
		}
		cells = append(cells, text)
	}
	return strings.Join(cells, "; ")
}

// digits writes a number with three significant digits.
func digits(value float64) string {
	switch magnitude := math.Abs(value); {
	case magnitude >= 1e6:
		return fmt.Sprintf("%.3gM", value/1e6)
	case magnitude >= 1000:
		return thousands(int(math.Round(value)))
	case magnitude >= 100:
		return fmt.Sprintf("%.0f", value)
	default:
		return fmt.Sprintf("%.3g", value)
	}
}

// thousands groups the digits of a number.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
