package cli

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/job"
)

// The exit statuses of the command. Those of a job are its own.
const (
	exitFailure     = 1   // what was asked for did not work out
	exitUsage       = 2   // the command line makes no sense
	exitNothing     = 3   // nothing was found, or nobody leads
	exitUnavailable = 4   // the backend cannot be reached
	exitLost        = 5   // the lead was lost, and elect --once does not campaign again
	exitCannotStart = 126 // there is a command, and it cannot be started
	exitNoCommand   = 127 // there is no such command
	exitSignal      = 128 // and the number of the signal that has ended what was asked for
)

const exitHelp = `Exit status:
  0    all is well; also when a reader of the output has gone away
  1    what was asked for did not work out
  2    the command line makes no sense
  3    nothing was found, or nobody leads
  4    the backend cannot be reached
  5    the lead was lost (elect --once)
  126  the command of register or elect cannot be started, 127: there is none of that name
  128+ the number of the signal that ended a wait for the backend or the lead
  register and elect with a command: the command's own`

// A usageError is a command line that makes no sense.
type usageError struct{ err error }

// Error returns what is wrong, and what would be right.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *usageError) Unwrap() error { return e.err }

// usagef returns a *usageError.
func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// An exitError ends the command with a status, and says something if there is something to say.
type exitError struct {
	status int
	err    error // nil: all was said
}

// Error returns the message.
func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

// Unwrap returns the cause.
func (e *exitError) Unwrap() error { return e.err }

// exit ends the command with a status and without a word.
func exit(status int) error {
	if status == 0 {
		return nil
	}
	return &exitError{status: status}
}

// quiet says whether err is one to say nothing about.
func quiet(err error) bool {
	if errors.Is(err, syscall.EPIPE) {
		return true
	}
	e, is := errors.AsType[*exitError](err)
	return is && e.err == nil
}

// openError sorts out what can be wrong with an address: what is no trouble of the backend is a mistake in it.
func openError(err error) error {
	for _, trouble := range []error{reception.ErrUnavailable, reception.ErrPermission, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, trouble) {
			return err
		}
	}
	if _, signaled := errors.AsType[*job.SignalError](err); signaled {
		return err
	}
	return &usageError{err}
}

// statusOf returns the exit status for an error.
func statusOf(err error) int {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return 0
	}
	if e, is := errors.AsType[*exitError](err); is {
		return e.status
	}
	if s, is := errors.AsType[*job.SignalError](err); is {
		return exitSignal + number(s.Signal)
	}
	if e, is := errors.AsType[*job.StartError](err); is {
		if e.Missing {
			return exitNoCommand
		}
		return exitCannotStart
	}
	if _, is := errors.AsType[*usageError](err); is {
		return exitUsage
	}
	for _, known := range []struct {
		err    error
		status int
	}{
		{reception.ErrInvalidService, exitUsage},
		{reception.ErrGraceTooLong, exitUsage},
		{reception.ErrNoLeader, exitNothing},
		{reception.ErrUnavailable, exitUnavailable},
		{reception.ErrOutcomeUnknown, exitUnavailable},
	} {
		if errors.Is(err, known.err) {
			return known.status
		}
	}
	return exitFailure
}
