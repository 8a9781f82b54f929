// Package doctor examines a backend: whether it is reached, what its servers are, how fast it answers, whether one may do
// what Reception does, and what would be a fix for what is wrong.
//
// It knows no vendor. What it does, it does with a Client, as any service would: it reads, and for a moment it registers
// an instance of [ProbeName] and leads an election of that name.
package doctor

import (
	"context"
	"time"

	"github.com/go-reception/sdk/reception"
)

// ProbeName is the name of the service and of the election that an examination uses.
const ProbeName = "reception-doctor"

// A State says how a check has ended.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning" // it works, but for how long or how well is another matter
	Failed  State = "failed"
	Unknown State = "unknown" // there is no way to tell
)

// A Finding is the outcome of one check.
type Finding struct {
	Check  string `json:"check"`
	State  State  `json:"state"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// An Examination is of one client. Each finding is told as it is made, because some take their time.
type Examination struct {
	Client  reception.Client
	Timeout time.Duration // of each check
	Tell    func(Finding) error
}

// Run makes all checks, in order. It stops when ctx ends or a finding cannot be told.
func (e *Examination) Run(ctx context.Context) error {
	for _, check := range []func(context.Context) []Finding{e.servers, e.latency, e.registration, e.election} {
		findings := e.limited(ctx, check)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, finding := range findings {
			if err := e.Tell(finding); err != nil {
				return err
			}
		}
	}
	return nil
}

// limited gives a check its time.
func (e *Examination) limited(ctx context.Context, check func(context.Context) []Finding) []Finding {
	ctx, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	return check(ctx)
}
