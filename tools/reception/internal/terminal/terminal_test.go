package terminal

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"plain, ünïcode 漢字": "plain, ünïcode 漢字",
		`a "quoted" \path`:  `a "quoted" \path`,
		"\x1b[2J\a":         `\x1b[2J\a`,
		"two\nlines\t":      `two\nlines\t`,
		"\u202egnp.exe":     `\u202egnp.exe`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	table := &Table{Header: []string{"NAME", "WHERE", ""}}
	table.Row(Cells("über", "a", "1")...)
	table.Row(Cell{Text: "x", Style: Red}, Cell{}, Cell{Text: "\x1b"})
	table.Row(Cells("alone")...)
	var plain bytes.Buffer
	if err := table.Print(NewOutput(&plain, os.Getenv)); err != nil {
		t.Fatal(err)
	}
	if want := "NAME   WHERE\nüber   a      1\nx             \\x1b\nalone\n"; plain.String() != want {
		t.Errorf("the table is\n%s\nwant\n%s", plain.String(), want)
	}
	coloured := table.Lines(&Output{colours: true}, 9)
	want := []string{"\x1b[1mNAME\x1b[0m   \x1b[1mW…\x1b[0m", "über   a", "\x1b[31mx\x1b[0m", "alone"}
	if strings.Join(coloured, "\n") != strings.Join(want, "\n") {
		t.Errorf("in nine columns it is %q, want %q", coloured, want)
	}
}

func TestLive(t *testing.T) {
	var screen bytes.Buffer
	live := NewLive(&Output{w: &screen})
	table := &Table{}
	for range 40 {
		table.Row(Cells("row")...)
	}
	if err := live.Show(Cell{Text: strings.Repeat("t", 100)}, table); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(screen.String(), "\n")
	if len(lines) != 24 || lines[0] != "\r\x1b[J"+strings.Repeat("t", 79)+"…" || lines[22] != "… and 19 more" || lines[23] != "" {
		t.Errorf("in 80 columns and 24 lines it shows %d lines: %q", len(lines), lines)
	}
	screen.Reset()
	if err := live.Show(Cell{Text: "now"}, &Table{}); err != nil {
		t.Fatal(err)
	}
	if want := "\x1b[23A\r\x1b[Jnow\n"; screen.String() != want {
		t.Errorf("the second time it writes %q, want %q", screen.String(), want)
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	var written bytes.Buffer
	done := Progress(NewOutput(&written, os.Getenv), "waiting")
	done()
	done()
	if written.Len() != 0 {
		t.Errorf("it writes %q", written.String())
	}
}
