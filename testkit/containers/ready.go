package containers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

const (
	probeInterval = 100 * time.Millisecond
	probeLimit    = 3 * time.Second
)

// probe asks a server, at its mapped port, whether it serves.
type probe func(ctx context.Context, addr string) error

// ready is the wait strategy of all servers. It asks from outside, so that the
// image needs nothing but the server, and gives up early when the server is gone.
// It is used as a pointer because testcontainers takes every strategy for one.
type ready struct {
	port  string
	limit time.Duration
	probe probe
}

// String says what is waited for; testcontainers logs it.
func (r *ready) String() string { return "server ready on port " + r.port }

// Timeout is the strategy's own, for strategies that are made up of several.
func (r *ready) Timeout() *time.Duration { return &r.limit }

// WaitUntilReady implements [wait.Strategy].
func (r *ready) WaitUntilReady(ctx context.Context, target wait.StrategyTarget) error {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	return poll(ctx, func(ctx context.Context) error { return r.once(ctx, target) })
}

func (r *ready) once(ctx context.Context, target wait.StrategyTarget) error {
	state, err := target.State(ctx)
	if err != nil {
		return err
	}
	if !state.Running {
		return final{fmt.Errorf("the container has ended with exit code %d", state.ExitCode)}
	}
	host, err := target.Host(ctx)
	if err != nil {
		return err
	}
	port, err := target.MappedPort(ctx, r.port)
	if err != nil {
		return err
	}
	return r.probe(ctx, net.JoinHostPort(host, port.Port()))
}

// wait returns the customizer that makes a start wait until the server serves.
func (s *settings) wait(port string, check probe) testcontainers.ContainerCustomizer {
	return testcontainers.WithWaitStrategyAndDeadline(s.startupTimeout,
		&ready{port: port, limit: s.startupTimeout, probe: check})
}

// final is an error that no further attempt will change.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// poll calls check until it succeeds, fails for good or ctx ends; the error then
// is that of the last whole attempt.
func poll(ctx context.Context, check func(ctx context.Context) error) error {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	begun := time.Now()
	last := errors.New("never asked")
	for {
		attempt, cancel := context.WithTimeout(ctx, probeLimit)
		err := check(attempt)
		cancel()
		var end final
		switch {
		case err == nil:
			return nil
		case errors.As(err, &end):
			return end.error
		case ctx.Err() == nil:
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w; at last: %w", time.Since(begun).Round(probeInterval), ctx.Err(), last)
		case <-ticker.C:
		}
	}
}
