//go:build unix

package cli

import (
	"os"
	"syscall"
)

// brokenPipe is what a write to a reader that is gone raises.
var brokenPipe = []os.Signal{syscall.SIGPIPE}

// forJobs are the signals that are for a job alone.
var forJobs = []os.Signal{syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT}

// stops are what stops a process that runs at a terminal.
var stops = []os.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}

// hangUp is for a job, if one runs, and otherwise asks for an end.
const hangUp = syscall.SIGHUP
