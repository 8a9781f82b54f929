package demo

import (
	"context"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDemo runs the fast demo and looks for its story, in order.
func TestDemo(t *testing.T) {
	var out strings.Builder
	if err := newDemo(plain(&out), pace{ttl: 300 * time.Millisecond}).run(t.Context()); err != nil {
		t.Fatalf("%v, after:\n%s", err, out.String())
	}
	story := []string{
		`cluster  in memory`,
		`p1 +registered api/p1`,
		`p2 +registered api/p2`,
		`p3 +registered api/p3`,
		`p1 +LEADS reaper, with token \d+`,
		`network  p1 is cut off`,
		`p1 +leads no more: not the leader`,
		`p[23] +LEADS reaper, with token \d+`,
		`result   p1's term ended at`,
		`result   p[23]'s term began at .* later`,
		`result   tokens: \d+, then \d+`,
		`network  healed`,
		`result   all three are listed`,
		`p3 +deregistered api/p3`,
		`p1 +closed`,
		`p2 +closed`,
		`p3 +closed`,
		`cluster  nothing is left`,
	}
	rest := out.String()
	for _, line := range story {
		at := regexp.MustCompile(line).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("no %q, in that order, in:\n%s", line, out.String())
		}
		rest = rest[at[1]:]
	}
	// The registration and the term end by clocks of their own, so this comes before the end of the lead or after it.
	if !regexp.MustCompile(`p1 +told by the SDK: .*disconnected`).MatchString(out.String()) {
		t.Errorf("p1 is not told of its outage:\n%s", out.String())
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colours although this is no terminal")
	}
}

// TestDemoStopsWhenInterrupted ends the context in the first of its pauses.
func TestDemoStopsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := newDemo(plain(interrupter(cancel)), pace{ttl: time.Hour, pause: time.Hour}).run(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the demo returned %v, want context.Canceled", err)
	}
}

// An interrupter is a writer that is called when something is written.
type interrupter func()

func (i interrupter) Write(p []byte) (int, error) {
	i()
	return len(p), nil
}

// plain is an output that is no terminal.
func plain(w io.Writer) *terminal.Output { return terminal.NewOutput(w, os.Getenv) }
