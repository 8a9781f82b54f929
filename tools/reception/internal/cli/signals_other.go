//go:build !unix

package cli

import (
	"os"
	"syscall"
)

// brokenPipe is nothing that this system has a signal for.
var brokenPipe = []os.Signal{syscall.SIGPIPE}

// forJobs and stops are nothing that this system has.
var forJobs, stops []os.Signal

// hangUp is never raised on this system.
const hangUp = syscall.SIGHUP
