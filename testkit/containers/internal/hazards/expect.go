package hazards

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
)

// OK ends the test on an error.
func OK(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// Eventually waits until a condition holds.
func Eventually(tb testing.TB, within time.Duration, what func() string, holds func() bool) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(within); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatalf("not within %v: %s", within, what())
		}
	}
}

// Keeps checks that a condition holds for some time.
func Keeps(tb testing.TB, during time.Duration, what func() string, holds func() bool) {
	tb.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(during); ; {
		if !holds() {
			tb.Fatalf("before %v were over: %s", during, what())
		}
		select {
		case <-tick.C:
		case <-end:
			return
		}
	}
}

// IDs are those that a client lists under a name, in that order.
func IDs(ctx context.Context, client reception.Client, name string) ([]string, error) {
	services, err := client.ListServices(ctx, name)
	return idsOf(services), err
}

func idsOf(services []*reception.Service) []string {
	var ids []string
	for _, s := range services {
		ids = append(ids, s.ID)
	}
	return ids
}

// Sees waits until a client lists exactly these instances, in this order.
func Sees(tb testing.TB, within time.Duration, client reception.Client, name string, want ...string) {
	tb.Helper()
	var got []string
	var err error
	Eventually(tb, within, func() string { return fmt.Sprintf("%s has %q, %v; want %q", name, got, err, want) }, func() bool {
		got, err = IDs(tb.Context(), client, name)
		return err == nil && slices.Equal(got, want)
	})
}

// keepsSeeing checks that a client lists exactly these instances for some time.
func keepsSeeing(tb testing.TB, during time.Duration, client reception.Client, name string, want ...string) {
	tb.Helper()
	var got []string
	var err error
	Keeps(tb, during, func() string { return fmt.Sprintf("%s has %q, %v; want %q", name, got, err, want) }, func() bool {
		got, err = IDs(tb.Context(), client, name)
		return err == nil && slices.Equal(got, want)
	})
}

// Healthy waits for a state without an error that has exactly these instances, in whatever order.
func Healthy(tb testing.TB, states <-chan *reception.ServiceState, want ...string) {
	tb.Helper()
	slices.Sort(want)
	await(tb, states, fmt.Sprintf("a healthy state with %q", want), func(state *reception.ServiceState) bool {
		return state.Err == nil && slices.Equal(slices.Sorted(slices.Values(idsOf(state.Services))), want)
	})
}

// await waits for a state, and returns it.
func await(
	tb testing.TB, states <-chan *reception.ServiceState, what string, is func(*reception.ServiceState) bool,
) *reception.ServiceState {
	tb.Helper()
	var last *reception.ServiceState
	for deadline := time.After(Step + Grace); ; {
		select {
		case state, open := <-states:
			if !open {
				tb.Fatalf("the channel is closed before %s; the last one is %+v", what, last)
			}
			if last = state; is(state) {
				return state
			}
		case <-deadline:
			tb.Fatalf("not within %v: %s; the last one is %+v", Step+Grace, what, last)
		}
	}
}

// A Recorder keeps what a callback is told.
type Recorder struct {
	mu   sync.Mutex
	errs []error
}

// Note is the callback.
func (r *Recorder) Note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

// All is what it was told.
func (r *Recorder) All() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errs)
}

// Count is how often it was told of a kind of error.
func (r *Recorder) Count(kind error) int {
	n := 0
	for _, err := range r.All() {
		if errors.Is(err, kind) {
			n++
		}
	}
	return n
}

// are says whether errors are of these kinds, in this order.
func are(errs, kinds []error) bool { return slices.EqualFunc(errs, kinds, errors.Is) }

// leaderless waits until nobody leads.
func leaderless(tb testing.TB, within time.Duration, client reception.Client, election string) {
	tb.Helper()
	var leader *reception.Leader
	var err error
	Eventually(tb, within, func() string { return fmt.Sprintf("nobody leads %s; it is %+v, %v", election, leader, err) }, func() bool {
		leader, err = client.Leader(tb.Context(), election)
		return errors.Is(err, reception.ErrNoLeader)
	})
}
