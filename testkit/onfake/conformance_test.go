package onfake_test

import (
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/onfake"
)

// TestConformance plays the suite in bubbles, on clusters that differ in what real servers differ in.
func TestConformance(t *testing.T) {
	timing := conformance.Timing{TTL: 15 * time.Second, Backoff: time.Second, Margin: 1500 * time.Millisecond}
	for name, tt := range map[string]struct {
		vary    func(*conformance.Timing)
		options []fake.ClusterOption
	}{
		"prompt": {},
		"lagging": {
			vary: func(t *conformance.Timing) { t.Propagation = 200 * time.Millisecond },
		},
		"settling": {
			options: []fake.ClusterOption{fake.WithRenewEvery(2500 * time.Millisecond), fake.WithSettle(3750 * time.Millisecond)},
		},
		"forgetful": {
			options: []fake.ClusterOption{fake.WithWatchLog(1)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timing := timing
			if tt.vary != nil {
				tt.vary(&timing)
			}
			conformance.Run(t, onfake.Bubble(onfake.Harness(timing, tt.options...)))
		})
	}
}

// TestConformanceInRealTime plays the suite by the machine's clock.
func TestConformanceInRealTime(t *testing.T) {
	t.Parallel()
	conformance.Run(t, onfake.Harness(conformance.Timing{
		TTL:     time.Second,
		Backoff: 100 * time.Millisecond,
		Margin:  100 * time.Millisecond,
		Grace:   5 * time.Second,
	}))
}
