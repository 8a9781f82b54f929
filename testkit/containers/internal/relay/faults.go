package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2"
)

// A fault is put on the way by a method that returns how to take it off again.
// Several may be on the way at once.

// Cut closes every connection and refuses new ones.
func (r *Relay) Cut() (undo func() error, err error) {
	return r.count(&r.cuts, func() { r.dropAll(false) }, func() {})
}

// Reset resets every connection, those that are there and those to come.
func (r *Relay) Reset() (undo func() error, err error) {
	return r.count(&r.resets, func() { r.dropAll(true) }, func() {})
}

// count is a fault that the relay itself makes: begin runs when it comes into
// force, end when no such fault is left, both under mu.
func (r *Relay) count(faults *int, begin, end func()) (undo func() error, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*faults++
	begin()
	undo = func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if *faults--; *faults == 0 {
			end()
		}
		return r.settle()
	}
	return undo, r.settle()
}

// Blackhole keeps connections open, accepts new ones, and swallows every byte
// in both directions, ends of connections included. What was swallowed cannot be
// made up for, so undoing it resets the connections.
func (r *Relay) Blackhole() (undo func() error, err error) {
	visible, err := r.count(&r.holes, func() {}, func() { r.dropAll(true) })
	if err != nil {
		return visible, err
	}
	swallowing, err := r.toxic("timeout", map[string]int64{"timeout": 0})
	return func() error { return errors.Join(visible(), swallowing()) }, err
}

// Delay holds every byte back for a time, in each direction.
func (r *Relay) Delay(latency, jitter time.Duration) (undo func() error, err error) {
	return r.toxic("latency", map[string]int64{
		"latency": latency.Milliseconds(), "jitter": jitter.Milliseconds(),
	})
}

// Throttle lets that many bytes a second through, in each direction.
func (r *Relay) Throttle(bytesPerSecond int64) (undo func() error, err error) {
	const unit = 1000 // Toxiproxy counts in kilobytes
	if bytesPerSecond < unit {
		return nil, fmt.Errorf("throttle to %d bytes a second: the least is %d", bytesPerSecond, unit)
	}
	return r.toxic("bandwidth", map[string]int64{"rate": bytesPerSecond / unit})
}

var toxicNames atomic.Int64

// toxic adds a toxic in both directions. Its only interface is JSON.
func (r *Relay) toxic(kind string, attributes map[string]int64) (undo func() error, err error) {
	var names []string
	undo = func() error {
		var errs []error
		for _, name := range names {
			err := r.toxics.Toxics.RemoveToxic(context.Background(), name)
			if !errors.Is(err, toxiproxy.ErrToxicNotFound) {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
	for _, direction := range []string{"upstream", "downstream"} {
		name := kind + strconv.FormatInt(toxicNames.Add(1), 10)
		text, err := json.Marshal(map[string]any{
			"name": name, "type": kind, "stream": direction, "attributes": attributes,
		})
		if err != nil {
			return undo, err
		}
		if _, err := r.toxics.Toxics.AddToxicJson(bytes.NewReader(text)); err != nil {
			return undo, fmt.Errorf("%s %s: %w", kind, direction, err)
		}
		names = append(names, name)
	}
	return undo, nil
}
