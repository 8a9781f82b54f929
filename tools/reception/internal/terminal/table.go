package terminal

import (
	"strings"
	"unicode/utf8"
)

// A Cell is one field of a table.
type Cell struct {
	Text  string
	Style Style
}

// A Table is rows under a header.
type Table struct {
	Header []string
	rows   [][]Cell
}

// Row adds a row.
func (t *Table) Row(cells ...Cell) { t.rows = append(t.rows, cells) }

// Cells makes cells of texts.
func Cells(texts ...string) []Cell {
	cells := make([]Cell, 0, len(texts))
	for _, text := range texts {
		cells = append(cells, Cell{Text: text})
	}
	return cells
}

// Lines returns the table line by line, cut off after so many columns; 0 does not cut.
func (t *Table) Lines(o *Output, columns int) []string {
	var rows [][]Cell
	if len(t.Header) > 0 {
		header := Cells(t.Header...)
		for i := range header {
			header[i].Style = Bold
		}
		rows = append(rows, header)
	}
	rows = append(rows, t.rows...)
	widths := columnWidths(rows)
	lines := make([]string, 0, len(rows))
	for _, row := range rows {
		lines = append(lines, line(o, row, widths, columns))
	}
	return lines
}

// columnWidths returns how wide the columns have to be.
func columnWidths(rows [][]Cell) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(Printable(cell.Text)))
		}
	}
	return widths
}

// gap is between columns.
const gap = 2

// line returns one row, without blanks at its end.
func line(o *Output, row []Cell, widths []int, columns int) string {
	var b strings.Builder
	at, pending := 0, 0
	for i, cell := range row {
		text := Printable(cell.Text)
		if columns > 0 {
			text = cut(text, columns-at-pending)
		}
		if text != "" {
			b.WriteString(strings.Repeat(" ", pending) + o.Paint(cell.Style, text))
			at, pending = at+pending+utf8.RuneCountInString(text), 0
		}
		pending += widths[i] - utf8.RuneCountInString(text) + gap
	}
	return b.String()
}

// cut shortens text to so many columns.
func cut(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	if columns <= 1 {
		return ""
	}
	return string([]rune(text)[:columns-1]) + "…"
}

// Print writes the table.
func (t *Table) Print(o *Output) error {
	_, err := o.Write([]byte(strings.Join(append(t.Lines(o, 0), ""), "\n")))
	return err
}
