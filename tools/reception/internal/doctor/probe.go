package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/go-reception/sdk/reception"
)

// What latency does, and what it thinks of it.
const (
	readings = 15
	slow     = 100 * time.Millisecond
)

// latency reads a few times.
func (e *Examination) latency(ctx context.Context) []Finding {
	var took []time.Duration
	for range readings {
		began := time.Now()
		if _, err := e.Client.ListServices(ctx, ProbeName); err != nil {
			return []Finding{failure("latency", err)}
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	median, longest := took[len(took)/2], took[len(took)-1]
	f := Finding{Check: "latency", State: OK, Detail: fmt.Sprintf("%d lists: median %v, longest %v",
		readings, rounded(median), rounded(longest))}
	if median > slow {
		f.State, f.Fix = Warning, "look at the servers' disks and at the network on the way: renewals need their time within a TTL"
	}
	return []Finding{f}
}

// registration registers an instance, sees it come and go in a watch, and withdraws it.
func (e *Examination) registration(ctx context.Context) []Finding {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	probe := &reception.Service{Name: ProbeName, ID: uuid.NewString(), Address: "127.0.0.1"}
	watcher := e.Client.NewWatcher(ProbeName)
	defer watcher.Stop()
	states, err := watcher.Start(ctx)
	if err != nil {
		return []Finding{failure("registration", err)}
	}
	began := time.Now()
	if err := e.Client.Register(ctx, probe, nil); err != nil {
		return []Finding{failure("registration", err)}
	}
	registered := time.Since(began)
	seen := await(ctx, states, probe.ID, true)
	shown := time.Since(began)
	// Withdrawn even where the check was called off.
	if err := e.withdraw(ctx, probe); err != nil {
		return []Finding{failure("registration", fmt.Errorf("what was registered could not be withdrawn: %w", err))}
	}
	findings := []Finding{{Check: "registration", State: OK, Detail: fmt.Sprintf(
		"an instance of %s was registered in %v, and withdrawn", ProbeName, rounded(registered))}}
	if seen == nil {
		seen = await(ctx, states, probe.ID, false)
	}
	if seen != nil {
		f := failure("watch", fmt.Errorf("it did not show the instance: %w", seen))
		if f.Fix == "" {
			f.Fix = "look for a proxy on the way that holds back long answers"
		}
		return append(findings, f)
	}
	return append(findings, Finding{Check: "watch", State: OK, Detail: fmt.Sprintf(
		"it showed the instance %v after the beginning of its registration, and saw it go", rounded(shown))})
}

// withdraw deregisters the probe, in a time of its own.
func (e *Examination) withdraw(ctx context.Context, probe *reception.Service) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.Timeout)
	defer cancel()
	return e.Client.Deregister(ctx, probe)
}

// await reads states until the instance is there, or is not.
func await(ctx context.Context, states <-chan *reception.ServiceState, id string, there bool) error {
	var last error
	for state := range states {
		last = state.Err
		is := slices.ContainsFunc(state.Services, func(s *reception.Service) bool { return s.ID == id })
		if is == there && state.Err == nil {
			return nil
		}
	}
	return errors.Join(ctx.Err(), last)
}

// election wins an election and gives it up.
func (e *Examination) election(ctx context.Context) []Finding {
	began := time.Now()
	probe := &reception.Service{Name: ProbeName, ID: uuid.NewString()}
	term, err := e.Client.Campaign(ctx, ProbeName, probe)
	if err != nil {
		if e.isTaken(ctx, probe.ID) {
			return []Finding{{
				Check: "election", State: Unknown, Detail: "another examination leads " + ProbeName,
				Fix: "run this again when that is over",
			}}
		}
		return []Finding{failure("election", err)}
	}
	won := time.Since(began)
	err = term.Verify(ctx)
	resigning, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.Timeout)
	defer cancel()
	if err := errors.Join(err, term.Resign(resigning)); err != nil {
		return []Finding{failure("election", err)}
	}
	return []Finding{{Check: "election", State: OK, Detail: fmt.Sprintf(
		"%s was won in %v with token %d, verified, and given up", ProbeName, rounded(won), term.Token())}}
}

// isTaken says whether somebody else leads the election of the probe.
func (e *Examination) isTaken(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.Timeout)
	defer cancel()
	leader, err := e.Client.Leader(ctx, ProbeName)
	return err == nil && leader.Service.ID != id
}

// rounded leaves three digits or so.
func rounded(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(10 * time.Microsecond)
}
