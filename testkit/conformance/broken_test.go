package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/onfake"
)

// broken is a backend that does one thing wrong.
type broken struct {
	name string
	// rules are those of which a case has to fail.
	rules []string
	wrap  func(driver.Backend) driver.Backend
}

// TestBrokenBackends plays the cases of each rule that a broken backend breaks, and expects one to fail.
func TestBrokenBackends(t *testing.T) {
	for _, b := range slices.Concat(
		brokenLists(), brokenWatches(), brokenStreams(), brokenWrites(), brokenSessions(), brokenElections(), brokenLeaders(),
		brokenErrors(), brokenProcesses(),
	) {
		t.Run(strings.ReplaceAll(b.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			setup := onfake.Setup{Timing: onfake.Quick(), Wrap: b.wrap}
			verdict := onfake.Variant(t, setup.Bubble(), b.rules...)
			for _, rule := range b.rules {
				if !slices.Contains(verdict.Rules(), rule) {
					t.Errorf("no case of %s has failed", rule)
				}
			}
			if t.Failed() {
				t.Logf("failed: %q\n%s", verdict.Failed, verdict.Output)
			}
		})
	}
}
