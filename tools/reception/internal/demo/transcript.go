package demo

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

// A transcript prints who says what, and when. It is safe for concurrent use.
type transcript struct {
	start time.Time

	mu  sync.Mutex
	out *terminal.Output
}

// newTranscript returns a transcript that begins now.
func newTranscript(out *terminal.Output) *transcript { return &transcript{start: time.Now(), out: out} }

// palette gives each speaker a colour of the terminal; those that it does not name are processes.
var palette = map[string]terminal.Style{
	"cluster": terminal.Dim, "watcher": terminal.Cyan, "network": terminal.Red, "result": terminal.Green,
}

// say prints one line.
func (t *transcript) say(who, format string, args ...any) {
	at := t.clock(time.Now())
	style, known := palette[who]
	if !known {
		style = terminal.Yellow
	}
	who = t.out.Paint(style, fmt.Sprintf("%-7s", who))
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
