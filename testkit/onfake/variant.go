package onfake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-reception/sdk/testkit/conformance"
)

// variantLimit is how long the suite may take on one variant before that counts as a hang.
const variantLimit = time.Minute

// inVariant is set in the environment of a process that plays the suite on a variant.
const inVariant = "CONFORMANCE_VARIANT"

// A Verdict is what the suite has found in a variant.
type Verdict struct {
	// Failed are the cases that have failed, as "R4/the-name", and what else has, as "coverage". The case that was being
	// played when the process crashed or hung is among them.
	Failed []string
	// Output is what the process has written.
	Output string
}

// Rules returns the rules of the cases that have failed, each once.
func (v *Verdict) Rules() []string {
	var rules []string
	for _, failed := range v.Failed {
		rule, _, _ := strings.Cut(failed, "/")
		rules = append(rules, rule)
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// Variant plays the suite on a fake that is wrong in some way, and returns what that has found. It has to be called by a
// test or subtest of its own, and plays in another process of the same test binary, so that a panic, a deadlock of a
// bubble or a hang is a verdict, too. Only the cases of the rules are played, or all if there are none.
func Variant(t *testing.T, h conformance.Harness, rules ...string) *Verdict {
	t.Helper()
	if os.Getenv(inVariant) != "" {
		conformance.Run(t, h)
		t.FailNow() // which ends the test here; only the suite's own subtests count
	}
	ctx, cancel := context.WithTimeout(t.Context(), variantLimit+10*time.Second)
	defer cancel()
	only := "/^cases$/^(" + strings.Join(rules, "|") + ")$"
	if len(rules) == 0 {
		only = ""
	}
	exact := "^" + strings.ReplaceAll(regexp.QuoteMeta(t.Name()), "/", "$/^") + "$"
	//nolint:gosec // the test binary itself
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run="+exact+only, "-test.v", "-test.parallel=1",
		fmt.Sprintf("-test.timeout=%v", variantLimit))
	cmd.Env = append(os.Environ(), inVariant+"=1")
	output, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("the variant cannot be tried: %v", err)
	}
	v := &Verdict{Output: string(output)}
	v.read(t.Name())
	return v
}

// read finds in the output what has failed. Since one case is played at a time, the one that was being played when the
// process ended too early is the last one that the output names.
func (v *Verdict) read(test string) {
	finished := make(map[string]bool)
	playing := ""
	for line := range bytes.Lines([]byte(v.Output)) {
		fields := strings.Fields(string(line))
		if len(fields) < 3 {
			continue
		}
		name, ours := strings.CutPrefix(fields[2], test+"/")
		name = strings.TrimPrefix(name, "cases/")
		if !ours || name != "coverage" && !strings.Contains(name, "/") {
			continue
		}
		switch strings.Join(fields[:2], " ") {
		case "--- FAIL:":
			v.Failed = append(v.Failed, name)
			finished[name] = true
		case "--- PASS:", "--- SKIP:":
			finished[name] = true
		case "=== RUN", "=== CONT", "=== NAME":
			playing = name
		}
	}
	if !strings.Contains(v.Output, "\nFAIL\n") && !strings.Contains(v.Output, "\nPASS\n") && playing != "" && !finished[playing] {
		v.Failed = append(v.Failed, playing)
	}
}
