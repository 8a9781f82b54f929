package onfake_test

import (
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
)

// README: adapter
func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Harness{
		Name:   "mine",
		Timing: conformance.Timing{TTL: 3 * time.Second, Backoff: 100 * time.Millisecond, Margin: 100 * time.Millisecond, Grace: 5 * time.Second},
		Open: func(_ conformance.T, namespace string) *conformance.Cluster {
			return &conformance.Cluster{
				// An independent connection to the same servers. Beside it belong functions that cut a connection, expire a
				// session and so on: the report lists the cases that had to be left out for want of them.
				Connect: func(t conformance.T, log reception.Logger) driver.Backend {
					return connect(t, namespace, log)
				},
			}
		},
	})
}

// README: end

// servers are the clusters by namespace, as real servers are with a prefix for each.
var servers = struct {
	sync.Mutex
	clusters map[string]*fake.Cluster
}{clusters: map[string]*fake.Cluster{}}

// connect stands for what an adapter's test has.
func connect(_ conformance.T, namespace string, _ reception.Logger) driver.Backend {
	servers.Lock()
	defer servers.Unlock()
	if servers.clusters[namespace] == nil {
		servers.clusters[namespace] = fake.NewCluster(fake.WithTTL(3 * time.Second))
	}
	return servers.clusters[namespace].Backend()
}
