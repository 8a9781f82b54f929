package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/go-reception/sdk/reception"
)

// A transcript prints who says what, and when. It is safe for concurrent use.
type transcript struct {
	start   time.Time
	colours bool

	mu  sync.Mutex
	out io.Writer
}

// newTranscript returns a transcript on w, with colours if that is a terminal and NO_COLOR is not set.
func newTranscript(w io.Writer, getenv func(string) string) *transcript {
	file, isFile := w.(*os.File)
	return &transcript{
		start: time.Now(), out: w,
		colours: isFile && term.IsTerminal(int(file.Fd())) && getenv("NO_COLOR") == "",
	}
}

// palette gives each speaker a colour of the terminal.
var palette = map[string]int{"cluster": 90, "watcher": 36, "network": 31, "result": 32}

// say prints one line.
func (t *transcript) say(who, format string, args ...any) {
	at := t.clock(time.Now())
	who = fmt.Sprintf("%-7s", who)
	if t.colours {
		colour, known := palette[strings.TrimSpace(who)]
		if !known {
			colour = 33
		}
		who = fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, who)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(t.out, "%s  %s  %s\n", at, who, fmt.Sprintf(format, args...)) // nothing can be said about a lost reader
}

// blank prints an empty line.
func (t *transcript) blank() {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintln(t.out) // as in say
}

// clock formats an instant as seconds since the transcript began.
func (t *transcript) clock(at time.Time) string {
	return fmt.Sprintf("%7.3fs", at.Sub(t.start).Seconds())
}

// describe puts a state of a watch into words.
func describe(state *reception.ServiceState) string {
	var parts []string
	for _, change := range []struct {
		sign     string
		services []*reception.Service
	}{{"+", state.Added}, {"~", state.Updated}, {"-", state.Removed}} {
		for _, s := range change.services {
			parts = append(parts, fmt.Sprintf("%s %s (%s:%d)", change.sign, s.ID, s.Address, s.Port))
		}
	}
	if state.Err != nil {
		parts = append(parts, "in trouble: "+state.Err.Error())
	}
	if len(parts) == 0 {
		parts = append(parts, "first look")
	}
	return fmt.Sprintf("%-28s now %d", strings.Join(parts, ", "), len(state.Services))
}
