package cli

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/go-reception/sdk/tools/reception/internal/job"
)

// forwardLimit is how long a signal waits for a job that would take it. A job that runs takes it at once.
const forwardLimit = 100 * time.Millisecond

// signals are what this process is told from outside.
type signals struct {
	caught chan os.Signal
	forJob chan os.Signal // those that a job is to have
	cancel context.CancelCauseFunc
}

// watchSignals returns a context that ends with the first signal that asks for an end.
func watchSignals(parent context.Context) (context.Context, *signals) {
	ctx, cancel := context.WithCancelCause(parent)
	s := &signals{caught: make(chan os.Signal, 8), forJob: make(chan os.Signal), cancel: cancel}
	// Caught, a write to a reader that is gone returns an error.
	signal.Notify(make(chan os.Signal, 1), brokenPipe...)
	s.catch(os.Interrupt, syscall.SIGTERM, hangUp)
	go func() {
		for caught := range s.caught {
			s.handle(ctx, caught)
		}
	}()
	return ctx, s
}

// stop ends the watch.
func (s *signals) stop() {
	signal.Stop(s.caught)
	close(s.caught)
	s.cancel(nil)
}

// passOn has the signals that ask for no end caught as well, for a job to come, and returns those that it is to have:
// they, and SIGKILL in the place of a second signal that asks for an end. What stops a process at a terminal is caught and
// dropped, because this one has to go on renewing.
func (s *signals) passOn() <-chan os.Signal {
	if s == nil {
		return nil
	}
	s.catch(append(forJobs, stops...)...)
	return s.forJob
}

// catch catches signals, but for those that whoever started this process wants to be ignored.
func (s *signals) catch(all ...os.Signal) {
	for _, each := range all {
		if !signal.Ignored(each) {
			signal.Notify(s.caught, each)
		}
	}
}

// handle does what one signal asks for.
func (s *signals) handle(ctx context.Context, caught os.Signal) {
	switch {
	case slices.Contains(stops, caught):
	case caught == os.Interrupt || caught == syscall.SIGTERM:
		if ctx.Err() == nil {
			s.cancel(&job.SignalError{Signal: caught})
		} else if !s.forward(os.Kill) { // a second one, and no job: somebody does not want to wait
			os.Exit(exitSignal + number(caught))
		}
	case !s.forward(caught) && caught == hangUp:
		s.cancel(&job.SignalError{Signal: caught})
	}
}

// forward hands a signal to the job, if one runs.
func (s *signals) forward(caught os.Signal) bool {
	timer := time.NewTimer(forwardLimit)
	defer timer.Stop()
	select {
	case s.forJob <- caught:
		return true
	case <-timer.C:
		return false
	}
}

// number returns the number of a signal.
func number(s os.Signal) int {
	n, _ := s.(syscall.Signal)
	return int(n)
}
