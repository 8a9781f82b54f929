// Package option has what the options of all adapters have in common: that everything that is wrong with them is
// said at once, and that those which say how to connect are refused where the caller has connected.
package option

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Problems is what is wrong with options. An adapter's settings embed it.
type Problems struct {
	found  []error
	ofDial []string
}

// Add notes an error.
func (p *Problems) Add(err error) { p.found = append(p.found, err) }

// Refuse notes what is wrong with an option.
func (p *Problems) Refuse(format string, args ...any) { p.Add(fmt.Errorf(format, args...)) }

// shortest is what no interval and no time limit of an adapter can sensibly be below.
const shortest = time.Millisecond

// Positive notes a duration that is not, or that is so short that its unit must have been forgotten: what happens every
// 15 ns keeps a core busy, and what may take no longer always fails.
func (p *Problems) Positive(option string, d time.Duration) {
	switch {
	case d <= 0:
		p.Refuse("%s(%v): must be positive", option, d)
	case d < shortest:
		p.Refuse("%s(%v): must be at least %v; a number without a unit counts nanoseconds", option, d, shortest)
	}
}

// OfDial notes an option that says how to connect.
func (p *Problems) OfDial(option string) { p.ofDial = append(p.ofDial, option) }

// Err returns everything that is wrong, nil if nothing is.
func (p *Problems) Err() error { return errors.Join(p.found...) }

// Connected returns an error that names the options which say how to connect, for where that was done already.
func (p *Problems) Connected() error {
	if len(p.ofDial) == 0 {
		return nil
	}
	return fmt.Errorf("%s: how to connect is said where the client is made", strings.Join(p.ofDial, ", "))
}
