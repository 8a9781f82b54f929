// Package consultest holds the Consul adapter to its contract on real servers.
package consultest

import (
	"os"
	"testing"

	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

func TestMain(m *testing.M) { os.Exit(hazards.Main(m, backend)) }
