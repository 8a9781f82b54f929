// Package clitest drives the reception command, as it is built, against real servers.
package clitest

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-reception/sdk/testkit/containers"
)

func TestMain(m *testing.M) {
	if works() { // this is the job of a test about elect
		return
	}
	status := containers.Main(m)
	if err := os.RemoveAll(binaryDir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}
