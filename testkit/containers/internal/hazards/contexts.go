package hazards

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
)

// ContextsEnd is H6: the connection swallows everything, requests may take long, and the contexts of calls end while these
// wait. They return at once, and nothing of them is there when the connection is.
func ContextsEnd(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	link := server.NewLink(t)
	slow := b.SettingsOf(t)
	slow.Operation = 20 * time.Second
	client, other := b.dialWith(t, link.Endpoints(), slow), b.dial(t, server.Endpoints())
	OK(t, client.Register(t.Context(), Service(name, "stays"), nil))
	undo := link.Blackhole(t)
	for what, call := range map[string]func(context.Context) error{
		"Register":     func(ctx context.Context) error { return client.Register(ctx, Service(name, "1"), nil) },
		"ListServices": func(ctx context.Context) error { _, err := client.ListServices(ctx, name); return err },
		"ListNames":    func(ctx context.Context) error { _, err := client.ListNames(ctx); return err },
		"Leader":       func(ctx context.Context) error { _, err := client.Leader(ctx, "e"); return err },
		"Campaign": func(ctx context.Context) error {
			_, err := client.Campaign(ctx, "e", Service(name, "1"))
			return err
		},
		"a watch": func(ctx context.Context) error {
			states, err := client.NewWatcher(name).Start(ctx)
			for range states { // until it is closed
			}
			return errors.Join(err, ctx.Err())
		},
	} {
		ends(t, what, 100*time.Millisecond, call)
	}
	undo()
	Sees(t, Step+Grace, other, name, "stays")
	keepsSeeing(t, 2*b.TTL, other, name, "stays")
	if _, err := other.Leader(t.Context(), "e"); !errors.Is(err, reception.ErrNoLeader) {
		t.Errorf("after a campaign that was given up: %v", err)
	}
}

// ContextsEndAnywhere is H6 at every stage: each request takes some time in either direction, and from call to call the
// context ends later by that time, so that it does while each of a call's requests is on its way there, and on its way
// back. What has not succeeded leaves nothing behind: no record, and no candidate.
func ContextsEndAnywhere(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	link := server.NewLink(t)
	client, other := b.dialWith(t, link.Endpoints(), b.terms(t)), b.dial(t, server.Endpoints())
	const latency = 20 * time.Millisecond
	undo := link.Delay(t, latency, 0)
	registered, given := stages(t, "Register", latency, func(ctx context.Context, id string) error {
		return client.Register(ctx, Service(name, id), nil)
	})
	elected, free := stages(t, "Campaign", latency, func(ctx context.Context, election string) error {
		_, err := client.Campaign(ctx, election, Service(name, "1"))
		return err
	})
	undo()
	t.Logf("%d registrations and %d candidacies were given up, %d and %d were not", len(given), len(free), len(registered), len(elected))
	settled := func() bool {
		got, err := IDs(t.Context(), other, name)
		slices.Sort(got)
		return err == nil && slices.Equal(got, registered)
	}
	Eventually(t, b.TTL+Grace, func() string { return fmt.Sprintf("only %q are there", registered) }, settled)
	Keeps(t, b.TTL, func() string { return fmt.Sprintf("only %q are there", registered) }, settled)
	for _, election := range free {
		leaderless(t, Grace, other, election)
	}
}

// stages makes calls, each with an id of its own, whose contexts end later and later, until some succeed. It returns the
// sorted ids of those that did, and of those that did not.
func stages(tb testing.TB, what string, step time.Duration, call func(ctx context.Context, id string) error) (done, given []string) {
	tb.Helper()
	for i := 0; len(done) < 3; i++ {
		id := fmt.Sprintf("%s-%03d", what, i)
		if ends(tb, what, time.Duration(i)*step, func(ctx context.Context) error { return call(ctx, id) }) {
			done = append(done, id)
		} else {
			given = append(given, id)
		}
	}
	return done, given
}

// ends has a call's context end after a while, and says whether it succeeded before that. If it did not, it must have
// returned at once, with the context's error.
func ends(tb testing.TB, what string, in time.Duration, call func(context.Context) error) bool {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), in)
	defer cancel()
	start := time.Now()
	err := call(ctx)
	if late := time.Since(start) - in; late > Grace {
		tb.Errorf("%s returned %v after its context's end", what, late)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		tb.Errorf("%s, with a context that ended after %v: %v", what, in, err)
	}
	return err == nil
}
