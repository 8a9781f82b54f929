package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A Spec says what to run.
type Spec struct {
	Command []string
	Env     []string // added to what the environment is
	Stdin   *os.File // nil for none
	Stdout  io.Writer
	Stderr  io.Writer
	// Grace is how long the job has to stop once it is told to. Then it is killed.
	Grace time.Duration
	// Signals are passed on to the job as they come.
	Signals <-chan os.Signal
}

// A SignalError is the cause of a context that a signal has ended. The same signal stops the job.
type SignalError struct{ Signal os.Signal }

// Error returns the name of the signal.
func (s *SignalError) Error() string { return "signal: " + s.Signal.String() }

// A StartError says that the command could not be started.
type StartError struct {
	Command string
	Missing bool // there is no such command
	Err     error
}

// Error returns a message of one line.
func (e *StartError) Error() string { return fmt.Sprintf("cannot start %s: %v", e.Command, e.Err) }

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }

// Find reports a *StartError where a command cannot be found, so that nobody waits for the time at which it would be
// started.
func Find(command string) error {
	if _, err := exec.LookPath(command); err != nil {
		missing := errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist)
		if cause := errors.Unwrap(err); cause != nil {
			err = cause
		}
		return &StartError{Command: command, Missing: missing, Err: err}
	}
	return nil
}

// Run runs a job until it has ended, with all that was left of it, and returns the command's exit status: its own, or
// 128 and the number of the signal that has ended it. When ctx ends the job is told to stop, by the signal that has ended
// ctx or else by SIGTERM, and killed when its grace is over. When deadline ends it is killed at once.
func Run(ctx, deadline context.Context, spec Spec) (status int, err error) {
	j, err := start(spec)
	if err != nil {
		return 0, err
	}
	told := ctx.Done()
	var overdue <-chan time.Time
	for {
		select {
		case <-j.done:
			return j.status, nil
		case s := <-spec.Signals:
			j.signal(s)
		case <-told:
			told = nil
			j.signal(stopSignal(ctx))
			overdue = time.After(spec.Grace)
		case <-overdue:
			j.kill()
		case <-deadline.Done():
			j.kill()
			<-j.done
			return j.status, nil
		}
	}
}

// stopSignal returns the signal that tells a job to stop because ctx has ended.
func stopSignal(ctx context.Context) os.Signal {
	if by, ok := errors.AsType[*SignalError](context.Cause(ctx)); ok {
		return by.Signal
	}
	return terminate
}
