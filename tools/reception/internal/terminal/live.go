package terminal

import (
	"fmt"
	"strings"
)

// A Live is a part of a terminal that is written again and again in place.
type Live struct {
	out   *Output
	shown int // lines
}

// NewLive returns one that begins where the cursor is.
func NewLive(out *Output) *Live { return &Live{out: out} }

// Show replaces what is shown by a line and a table, of which it shows as much as fits.
func (l *Live) Show(title Cell, table *Table) error {
	columns, height := l.out.size()
	lines := append([]string{l.out.Paint(title.Style, cut(Printable(title.Text), columns))}, table.Lines(l.out, columns)...)
	if most := height - 1; len(lines) > most { // the cursor's line is one, too
		more := len(lines) - most + 1
		lines = append(lines[:max(most-1, 0)], l.out.Paint(Dim, cut(fmt.Sprintf("… and %d more", more), columns)))
	}
	var b strings.Builder
	if l.shown > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.shown)
	}
	b.WriteString("\r\x1b[J")
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	l.shown = len(lines)
	_, err := l.out.Write([]byte(b.String()))
	return err
}
