package ledger

import (
	"context"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

// A Figure is something that is measured.
type Figure struct {
	Name   string // short, for -only and for notes
	Title  string
	Method string // what is measured, and what the bare client does for it
	// Measures are what a phase records.
	Measures []Measure
	// Sizes are the sizes at which it is measured, and SizesOf is what they count. Without any it is measured once.
	Sizes   []int
	SizesOf string
	// On says whether it can be measured on a backend; nil: on all.
	On func(Backend) bool
	// Alone says that there is nothing to compare with.
	Alone bool
	// Rounds is how many rounds there are, if not as many as for the others.
	Rounds int
	// Phase measures one side.
	Phase func(ctx context.Context, p *Phase) error
}

// A Measure is one of the numbers that make a figure.
type Measure struct {
	Name string
	Unit report.Unit
}

// Figures returns everything that there is to be measured, in the order of the report.
func Figures() []Figure {
	return []Figure{
		register, firstRegistration, list, liveList, change, onTheWire, watchers, burst,
		handOver, failOver, storm, idle, allocations, throughput,
	}
}

// served is for figures that need a server.
func served(b Backend) bool { return b.Protocol != nil }

// instances are the sizes at which cost should not grow.
var instances = []int{10, 1_000, 10_000}
