package containers

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// scenarioVar makes a process of this binary run one of the scenarios and nothing
// else: what happens to a whole process can only be seen from another one.
const scenarioVar = "RECEPTION_TEST_SCENARIO"

var scenarios = map[string]func(t *testing.T){
	"panics": panics, "leaves": leaves, "asks": asks, "runs": runs,
}

// TestScenario is that process's only test. There is nothing to it otherwise.
func TestScenario(t *testing.T) {
	if scenario, ok := scenarios[os.Getenv(scenarioVar)]; ok {
		scenario(t)
	}
}

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// runScenario runs a scenario in a process of its own, with more environment, and
// returns what it printed and whether it succeeded.
func runScenario(t *testing.T, name string, env ...string) (output string, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestScenario$", "-test.v")
	cmd.Env = append(os.Environ(), scenarioVar+"="+name)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s does not end:\n%s", name, out)
	}
	return string(out), err == nil
}

// mustContain fails the test unless text has every part.
func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// within returns a context for what must happen within a time.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until check succeeds.
func eventually(t *testing.T, limit time.Duration, check func(ctx context.Context) error) {
	t.Helper()
	if err := poll(within(t, limit), check); err != nil {
		t.Fatal(err)
	}
}
