package onfake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/testkit/conformance"
)

// variantLimit is how long the suite may take on one variant before that counts as a hang: many times what it takes, for
// machines that are busy.
const variantLimit = 2 * time.Minute

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
// bubble or a hang is a verdict, too.
//
// Given rules, it plays the cases of those, until one of each has failed. Otherwise it plays all cases until one has
// failed, beginning with those that call the driver's operations, which are the quickest to notice.
func Variant(t *testing.T, h conformance.Harness, rules ...string) *Verdict {
	t.Helper()
	if os.Getenv(inVariant) != "" {
		conformance.Run(t, untilFailed(h, len(rules) > 0))
		t.FailNow() // which ends the test here; only the suite's own subtests count
	}
	if len(rules) > 0 {
		return play(t, "/^cases$/^("+strings.Join(rules, "|")+")$")
	}
	if v := play(t, "/^cases$/.*/^spi:"); len(v.Failed) > 0 {
		return v
	}
	return play(t, "")
}

// trials bounds how many variants are tried at a time.
var trials = make(chan struct{}, runtime.GOMAXPROCS(0))

// play has another process play those subtests of t that only names.
func play(t *testing.T, only string) *Verdict {
	t.Helper()
	trials <- struct{}{}
	defer func() { <-trials }()
	ctx, cancel := context.WithTimeout(t.Context(), variantLimit+10*time.Second)
	defer cancel()
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

// untilFailed is the harness without the cases that come after one that has failed: of the same rule, or of any.
func untilFailed(h conformance.Harness, ofSameRule bool) conformance.Harness {
	var failed sync.Map
	around := h.Around
	h.Around = func(t *testing.T, body func(conformance.T)) {
		t.Helper()
		rule := ""
		if ofSameRule {
			rule = path.Base(path.Dir(t.Name()))
		}
		if _, over := failed.Load(rule); over {
			t.Skip("the verdict is known")
		}
		defer func() {
			if t.Failed() {
				failed.Store(rule, true)
			}
		}()
		around(t, body)
	}
	return h
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
