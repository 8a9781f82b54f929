package reception_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the whole package for a goroutine that any of its tests has left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
