package chaos

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// The faults that need nothing from an arena.
const (
	crash = "crash" // a process ends without a word, and is started again later
	leave = "leave" // a process closes its client, and is started again later
)

// A Plan says how a run goes. The zero value of each field but Seed means the default.
type Plan struct {
	// Seed decides everything that is drawn.
	Seed uint64 `json:"seed"`
	// Processes is how many register, watch and campaign; 3 by default. Beside them there is an observer, which nothing
	// befalls but what befalls servers.
	Processes int `json:"processes"`
	// Faults is how many are drawn; 12 by default.
	Faults int `json:"faults"`
	// Length is how long there are faults; 12 TTLs by default.
	Length time.Duration `json:"length"`
	// Settle is how long everything may take to be well again after that. The default is made of the timing.
	Settle time.Duration `json:"settle"`
	// Beat is how long a leader waits, at the most, before it asks again whether it leads and adds to the counter; a tenth of
	// the TTL by default. The shorter, the longer the histories that are checked.
	Beat time.Duration `json:"beat"`
	// Wiped has the data be lost twice. Elections hold within one life of the data, so that is for runs of their own.
	Wiped bool `json:"wiped,omitempty"`
}

// A Step is one fault of a schedule.
type Step struct {
	At     time.Duration `json:"at"`
	For    time.Duration `json:"for"`
	Fault  string        `json:"fault"`
	Victim int           `json:"victim"`
}

// String says it in one line.
func (s Step) String() string {
	return fmt.Sprintf("%v %s %d for %v", s.At.Round(time.Millisecond), s.Fault, s.Victim, s.For.Round(time.Millisecond))
}

// complete fills in the defaults.
func (p Plan) complete(a *Arena) Plan {
	t := a.Timing
	p.Processes = cmp.Or(p.Processes, 3)
	p.Faults = cmp.Or(p.Faults, 12)
	p.Length = cmp.Or(p.Length, 12*t.TTL)
	p.Beat = cmp.Or(p.Beat, t.TTL/10)
	p.Settle = cmp.Or(p.Settle, 4*(t.TTL+t.Late)+4*t.Backoff+4*t.Propagation+4*t.Grace)
	return p
}

// draw draws a schedule, in the order of time. The plan is complete.
func draw(a *Arena, p Plan) []Step {
	random := stream(p.Seed, "schedule")
	kinds := a.kinds(p.Wiped)
	var steps []Step
	if p.Wiped {
		steps = wipes(a, p, random)
	}
	for range 4 * p.Faults { // or until there are enough: some collide
		kind := kinds[random.IntN(len(kinds))]
		step := Step{
			At:    p.Length/20 + draws(random, p.Length*16/20),
			For:   length(random, a.Timing.TTL),
			Fault: kind.Name,
		}
		switch kind.Victims {
		case Processes:
			step.Victim = random.IntN(p.Processes)
		case Servers:
			step.Victim = random.IntN(a.Servers)
		}
		if len(steps) < p.Faults && !slices.ContainsFunc(steps, func(other Step) bool { return a.collide(step, other) }) {
			steps = append(steps, step)
		}
	}
	slices.SortFunc(steps, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	return steps
}

// wipes draws the wipes of a run: one in each half.
func wipes(a *Arena, p Plan, random *rand.Rand) (steps []Step) {
	for _, f := range a.Faults {
		if f.Excuse == Wipe {
			for _, half := range []time.Duration{0, p.Length / 2} {
				at := half + p.Length/20 + draws(random, p.Length/8)
				steps = append(steps, Step{At: at, For: newLife(a), Fault: f.Name})
			}
		}
	}
	return steps
}

// newLife is how long after a wipe no term of the life before is left, so that the operator can reset the fence.
func newLife(a *Arena) time.Duration { return 2*a.Timing.TTL + a.Timing.Late }

// kinds are what a schedule is drawn from.
func (a *Arena) kinds(wiped bool) []Fault {
	kinds := []Fault{{Name: crash, Victims: Processes}, {Name: leave, Victims: Processes}}
	for _, f := range a.Faults {
		if f.Excuse != Wipe && (!wiped || f.Victims == Processes) {
			kinds = append(kinds, f)
		}
	}
	return kinds
}

// fault returns the kind of fault of that name.
func (a *Arena) fault(name string) Fault {
	kinds := slices.Concat([]Fault{{Name: crash, Victims: Processes}, {Name: leave, Victims: Processes}}, a.Faults)
	i := slices.IndexFunc(kinds, func(f Fault) bool { return f.Name == name })
	return kinds[i]
}

// collide says whether two steps must not overlap, and do: a victim cannot be in the same trouble twice, and of three
// servers two make no cluster, so that nothing would happen.
func (a *Arena) collide(s, other Step) bool {
	if s.At+s.For < other.At || other.At+other.For < s.At {
		return false
	}
	ofServers := func(s Step) bool { return a.fault(s.Fault).Victims != Processes }
	return ofServers(s) && ofServers(other) || s.Victim == other.Victim && s.Fault == other.Fault
}

// length draws how long a fault lasts: a hiccup, about a TTL, or so long that everything has run out.
func length(random *rand.Rand, ttl time.Duration) time.Duration {
	switch random.IntN(4) {
	case 0:
		return draws(random, ttl/2)
	case 1:
		return ttl/2 + draws(random, ttl/2)
	default:
		return ttl + draws(random, ttl*3/2)
	}
}

// stream returns the random numbers of one purpose, which do not depend on how many others draw.
func stream(seed uint64, purpose string) *rand.Rand {
	second := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(purpose) {
		second = (second ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, second))
}

// draws returns a random duration below limit. It has nanoseconds, so that hardly two are the same.
func draws(random *rand.Rand, limit time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(max(limit, 1))))
}

// between draws a duration from least to most.
func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + draws(random, most-least)
}

// Describe says a schedule in lines.
func Describe(steps []Step) string {
	lines := make([]string, len(steps))
	for i, step := range steps {
		lines[i] = step.String()
	}
	return strings.Join(lines, "\n")
}
