package conformance

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/go-reception/sdk/reception/driver"
)

// Coverage records which operations were seen to succeed on a backend, and which errors they were seen to return. Its
// zero value is empty. It may be used by any number of backends, concurrently.
//
// What it sees decides: neither a case's name nor its passing says that an operation was exercised.
type Coverage struct {
	mu   sync.Mutex
	seen map[string]*sightings
}

// sightings are what was seen of one operation.
type sightings struct {
	succeeded uint64
	failed    map[error]uint64 // by declared error
}

// Intercept returns a backend that makes the calls of b and records them.
func (c *Coverage) Intercept(b driver.Backend) driver.Backend { return driver.Intercept(b, c.record) }

func (c *Coverage) record(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
	result, err := invoke(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = make(map[string]*sightings)
	}
	s := c.seen[call.Operation.Name]
	if s == nil {
		s = &sightings{failed: make(map[error]uint64)}
		c.seen[call.Operation.Name] = s
	}
	// A stream has succeeded when it has delivered something, not when it was opened.
	if err == nil && call.Next == call.Operation.Stream {
		s.succeeded++
	}
	for _, declared := range call.Operation.Errors {
		if errors.Is(err, declared) {
			s.failed[declared]++
		}
	}
	return result, err
}

// A Row is what was seen of one operation.
type Row struct {
	// Operation is its name.
	Operation string `json:"operation"`
	// Succeeded is how many calls have succeeded; of a stream, how many batches it has delivered.
	Succeeded uint64 `json:"succeeded"`
	// Failed is how often each declared error was seen, by its message.
	Failed map[string]uint64 `json:"failed,omitempty"`
}

// Rows returns what was seen of every operation of the driver, in the order of the spec, the unseen included.
func (c *Coverage) Rows() []Row {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rows []Row
	for _, op := range driver.Operations() {
		row := Row{Operation: op.Name}
		s := c.seen[op.Name]
		if s != nil {
			row.Succeeded = s.succeeded
		}
		for _, declared := range op.Errors {
			if row.Failed == nil {
				row.Failed = make(map[string]uint64)
			}
			row.Failed[declared.Error()] = 0
			if s != nil {
				row.Failed[declared.Error()] = s.failed[declared]
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// Missing names what was not seen yet: an operation that never succeeded by its name, a declared error that it never
// returned by "operation: error".
func (c *Coverage) Missing() []string {
	var missing []string
	for _, row := range c.Rows() {
		if row.Succeeded == 0 {
			missing = append(missing, row.Operation)
		}
		for _, message := range slices.Sorted(maps.Keys(row.Failed)) {
			if row.Failed[message] == 0 {
				missing = append(missing, row.Operation+": "+message)
			}
		}
	}
	return missing
}
