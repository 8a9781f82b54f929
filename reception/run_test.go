package reception_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

var worker = &reception.Service{Name: "worker", ID: "w1"}

// TestRunWhileLeader checks what it returns, for every way in which run and term can end. In each case nobody leads
// afterwards.
func TestRunWhileLeader(t *testing.T) {
	odd := errors.New("odd")
	type run = func(ctx context.Context, term reception.Term) error
	type trouble = func(context.CancelCauseFunc, *fake.Backend, reception.Client)
	untilEnd := func(result func(context.Context) error) run {
		return func(ctx context.Context, _ reception.Term) error {
			<-ctx.Done()
			return result(ctx)
		}
	}
	returnNil := func(context.Context) error { return nil }
	nothing := func(context.CancelCauseFunc, *fake.Backend, reception.Client) {}
	cancelWith := func(cause error) trouble {
		return func(cancel context.CancelCauseFunc, _ *fake.Backend, _ reception.Client) { cancel(cause) }
	}
	expire := func(_ context.CancelCauseFunc, b *fake.Backend, _ reception.Client) { b.ExpireSessions() }
	closing := func(_ context.CancelCauseFunc, _ *fake.Backend, c reception.Client) { _ = c.Close() }
	tests := []struct {
		name    string
		run     run
		trouble trouble
		want    []error
	}{
		{"nil", func(context.Context, reception.Term) error { return nil }, nothing, nil},
		{"an error", func(context.Context, reception.Term) error { return odd }, nothing, []error{odd}},
		{"resigned by run", func(ctx context.Context, term reception.Term) error {
			return term.Resign(context.WithoutCancel(ctx)) // which ends ctx first
		}, nothing, nil},
		{"context, nil", untilEnd(returnNil), cancelWith(nil), nil},
		{"context, its error", untilEnd(context.Context.Err), cancelWith(nil), []error{context.Canceled}},
		{"context, its cause", untilEnd(context.Cause), cancelWith(odd), []error{odd}},
		{"lost, nil", untilEnd(returnNil), expire, []error{reception.ErrSessionExpired}},
		{"lost, the context's error", untilEnd(context.Context.Err), expire, []error{reception.ErrSessionExpired}},
		{"lost, the context's cause", untilEnd(context.Cause), expire, []error{reception.ErrSessionExpired}},
		{"lost, the context's error wrapped", untilEnd(func(ctx context.Context) error {
			return fmt.Errorf("%w: %w", odd, ctx.Err())
		}), expire, []error{reception.ErrSessionExpired, odd, context.Canceled}},
		{"lost after the context's end", func(ctx context.Context, term reception.Term) error {
			<-ctx.Done()
			<-term.Context().Done()
			return ctx.Err()
		}, func(cancel context.CancelCauseFunc, b *fake.Backend, _ reception.Client) {
			cancel(nil)
			time.AfterFunc(time.Second, func() { b.ExpireSessions() })
		}, []error{context.Canceled}},
		{"lost, another error", untilEnd(func(context.Context) error { return odd }), expire, []error{odd}},
		{"closed", untilEnd(context.Context.Err), closing, []error{reception.ErrClosed}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, backend, other := pair(t, fake.NewCluster())
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				time.AfterFunc(time.Second, func() { test.trouble(cancel, backend, client) })
				err := reception.RunWhileLeader(ctx, client, "reaper", worker, test.run)
				if len(test.want) == 0 && err != nil {
					t.Errorf("got %v, want nil", err)
				}
				for _, want := range test.want {
					if !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
				}
				if errors.Is(err, reception.ErrSessionExpired) && !slices.Contains(test.want, reception.ErrSessionExpired) {
					t.Errorf("got %v, which does not say why run has ended", err)
				}
				time.Sleep(time.Second)
				if _, err := other.Leader(t.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) {
					t.Errorf("somebody is left behind: %v", err)
				}
			})
		})
	}
}

func TestRunWhileLeaderContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		client, backend, _ := pair(t, fake.NewCluster(fake.WithTTL(10*time.Second)))
		err := reception.RunWhileLeader(context.WithValue(t.Context(), key{}, "value"), client, "reaper", worker,
			func(ctx context.Context, term reception.Term) error {
				if ctx.Value(key{}) != "value" {
					t.Error("the context has lost its values")
				}
				if !term.Held() || ctx.Err() != nil {
					t.Error("the term is over before it has begun")
				}
				backend.Cut()
				<-term.Context().Done()
				ended := time.Now()
				if <-ctx.Done(); time.Since(ended) > 0 {
					t.Errorf("run's context has ended %v after the term's", time.Since(ended))
				}
				return nil
			})
		if !errors.Is(err, reception.ErrNotLeader) {
			t.Errorf("got %v, want ErrNotLeader", err)
		}
		backend.Heal()
	})
}

// TestRunWhileLeaderReleasesAfterRun checks the order: the next one leads when run has returned, however long it takes
// to do so after its context has ended.
func TestRunWhileLeaderReleasesAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, other := pair(t, fake.NewCluster())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var returned time.Time
		done := make(chan error)
		go func() {
			done <- reception.RunWhileLeader(ctx, client, "reaper", worker,
				func(ctx context.Context, _ reception.Term) error {
					<-ctx.Done()
					time.Sleep(42 * time.Second) // cleaning up
					returned = time.Now()
					return nil
				})
		}()
		synctest.Wait()
		time.AfterFunc(time.Second, cancel)
		campaign(t, other, "w2")
		if err := <-done; err != nil {
			t.Error(err)
		}
		if !time.Now().Equal(returned) {
			t.Errorf("the next one leads %v after run has returned", time.Since(returned))
		}
	})
}

func TestRunWhileLeaderPanics(t *testing.T) {
	ends := map[string]struct {
		run  func()
		want any
	}{
		"panic":  {func() { panic("odd") }, "odd"},
		"Goexit": {runtime.Goexit, nil},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _, other := pair(t, fake.NewCluster())
				done := make(chan any, 1)
				go func() {
					defer func() { done <- recover() }()
					_ = reception.RunWhileLeader(t.Context(), client, "reaper", worker,
						func(context.Context, reception.Term) error {
							end.run()
							return nil
						})
					t.Error("RunWhileLeader has returned")
				}()
				if got := <-done; got != end.want {
					t.Errorf("got panic %v, want %v", got, end.want)
				}
				campaign(t, other, "w2")
			})
		})
	}
}

func TestRunWhileLeaderNotElected(t *testing.T) {
	run := func(context.Context, reception.Term) error {
		t.Error("run is called without the lead")
		return nil
	}
	client := newClient(t, fake.NewCluster().Backend())
	err := reception.RunWhileLeader(t.Context(), client, "a b", worker, run)
	if !errors.Is(err, reception.ErrInvalidService) {
		t.Errorf("a bad name: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = reception.RunWhileLeader(ctx, client, "reaper", worker, run)
	if !errors.Is(err, reception.ErrElectionCanceled) {
		t.Errorf("an ended context: %v", err)
	}
}
