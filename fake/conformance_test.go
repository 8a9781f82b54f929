package fake_test

import (
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/onfake"
)

// setups are clusters that differ in what real servers differ in.
func setups() map[string]onfake.Setup {
	lagging := onfake.Quick()
	lagging.Propagation = 200 * time.Millisecond
	return map[string]onfake.Setup{
		"prompt":  {Timing: onfake.Quick()},
		"lagging": {Timing: lagging},
		"settling": {Timing: onfake.Quick(), Options: []fake.ClusterOption{
			fake.WithRenewEvery(onfake.Quick().TTL / 6), fake.WithSettle(onfake.Quick().TTL / 4),
		}},
		"vouching":  {Timing: lagging, Options: []fake.ClusterOption{fake.WithVouching(lagging.TTL / 3)}},
		"forgetful": {Timing: onfake.Quick(), Options: []fake.ClusterOption{fake.WithWatchLog(1)}},
	}
}

// TestConformance plays the suite in bubbles, whose clock waits for nobody.
func TestConformance(t *testing.T) {
	for name, setup := range setups() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance.Run(t, setup.Bubble())
		})
	}
}

// TestConformanceInRealTime plays the suite by the machine's clock.
func TestConformanceInRealTime(t *testing.T) {
	conformance.Run(t, onfake.Setup{Timing: conformance.Timing{
		TTL:     time.Second,
		Backoff: 100 * time.Millisecond,
		Margin:  100 * time.Millisecond,
		Grace:   5 * time.Second,
	}}.Harness())
}
