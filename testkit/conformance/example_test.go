package conformance_test

import (
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
)

// An adapter's test is a harness: how to connect, how long things take, and which faults can be provoked.
func ExampleRun() {
	_ = func(t *testing.T) { // TestConformance of the adapter
		t.Helper()
		conformance.Run(t, conformance.Harness{
			Name:   "mine",
			Timing: conformance.Timing{TTL: 5 * time.Second, Backoff: time.Second, Grace: 2 * time.Second},
			Open: func(conformance.T, string) *conformance.Cluster {
				cluster := fake.NewCluster(fake.WithTTL(5 * time.Second))
				return &conformance.Cluster{
					Connect: func(conformance.T, reception.Logger) driver.Backend { return cluster.Backend() },
					Wipe:    cluster.Wipe,
				}
			},
		})
	}
}
