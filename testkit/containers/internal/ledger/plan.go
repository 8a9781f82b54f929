package ledger

import (
	"fmt"
	"time"
)

// A plan says how long a run takes, judging by how many rounds there are still to come.
type plan struct {
	start          time.Time
	finished, todo int
}

// newPlan counts what is to be measured, and says how long that takes.
func newPlan(c Config, figures []Figure) *plan {
	p := &plan{start: time.Now()}
	for _, b := range Backends() {
		for i := range figures {
			if f := &figures[i]; c.wanted(f, b) {
				p.todo += c.rounds(f) * len(c.sizes(f))
			}
		}
	}
	usual := 3700 * time.Millisecond // with both sides, on two cores
	if c.Quick {
		usual = time.Second
	}
	c.Log("%d rounds of all figures; that takes some %v", p.todo, (time.Duration(p.todo) * usual).Round(10*time.Second))
	return p
}

// done notes that a figure was measured at one of its sizes, and says what is left.
func (p *plan) done(c Config, f *Figure) string {
	p.finished += c.rounds(f)
	if p.finished >= p.todo {
		return ""
	}
	left := time.Since(p.start) / time.Duration(p.finished) * time.Duration(p.todo-p.finished)
	return fmt.Sprintf(", about %v left", left.Round(10*time.Second))
}
