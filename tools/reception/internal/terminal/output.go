package terminal

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// An Output is where something is written for people to read.
type Output struct {
	w       io.Writer
	file    *os.File // w, if it is a terminal
	colours bool
}

// NewOutput returns an output to w.
func NewOutput(w io.Writer, getenv func(string) string) *Output {
	o := &Output{w: w}
	if file, is := w.(*os.File); is && term.IsTerminal(int(file.Fd())) {
		o.file = file
		o.colours = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	}
	return o
}

// Write implements [io.Writer].
func (o *Output) Write(p []byte) (int, error) { return o.w.Write(p) }

// IsTerminal says whether people look at it right now.
func (o *Output) IsTerminal() bool { return o.file != nil }

// size returns how many columns and lines the terminal has.
func (o *Output) size() (columns, lines int) {
	if o.file != nil {
		if columns, lines, err := term.GetSize(int(o.file.Fd())); err == nil && columns > 0 && lines > 0 {
			return columns, lines
		}
	}
	return 80, 24
}

// A Style is how text looks.
type Style int

// The styles.
const (
	Plain Style = iota
	Bold
	Dim
	Red
	Green
	Yellow
	Cyan
)

var codes = map[Style]string{Bold: "1", Dim: "2", Red: "31", Green: "32", Yellow: "33", Cyan: "36"}

// Paint returns text in a style, where colours are wanted.
func (o *Output) Paint(style Style, text string) string {
	if !o.colours || style == Plain {
		return text
	}
	return "\x1b[" + codes[style] + "m" + text + "\x1b[0m"
}

// Printable shows what is no printable character in the notation of a Go string.
func Printable(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return text
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
