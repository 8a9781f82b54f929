// Package clitest drives the reception command, as it is built, against real servers.
package clitest

import (
	"os"
	"testing"

	"github.com/go-reception/sdk/testkit/containers"
)

func TestMain(m *testing.M) {
	if works() { // this is the job of a test about elect
		return
	}
	os.Exit(containers.Main(m))
}
