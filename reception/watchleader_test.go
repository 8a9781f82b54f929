package reception_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

// campaign fails the test if it does.
func campaign(tb testing.TB, client reception.Client, id string) reception.Term {
	tb.Helper()
	term, err := client.Campaign(tb.Context(), "reaper", &reception.Service{Name: "worker", ID: id})
	if err != nil {
		tb.Fatalf("Campaign of %s: %v", id, err)
	}
	return term
}

func resign(tb testing.TB, term reception.Term) {
	tb.Helper()
	if err := term.Resign(tb.Context()); err != nil {
		tb.Fatalf("Resign: %v", err)
	}
}

// wantLeader compares who leads; an empty id means nobody.
func wantLeader(tb testing.TB, got *reception.Leader, id string, token uint64) {
	tb.Helper()
	switch {
	case id == "" && got != nil:
		tb.Errorf("%s leads, want nobody", got.Service.ID)
	case id != "" && got == nil:
		tb.Errorf("nobody leads, want %s", id)
	case id != "" && (got.Service.ID != id || got.Token != token):
		tb.Errorf("%s leads with token %d, want %s with %d", got.Service.ID, got.Token, id, token)
	}
}

func TestLeaderWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, backend, other := pair(t, fake.NewCluster())
		states := start(t, client.NewLeaderWatcher("reaper"))
		wantLeader(t, next(t, states).Leader, "", 0)
		first := campaign(t, other, "a")
		wantLeader(t, next(t, states).Leader, "a", first.Token())

		backend.Cut()
		state := next(t, states)
		wantLeader(t, state.Leader, "a", first.Token())
		if !errors.Is(state.Err, reception.ErrUnavailable) {
			t.Errorf("Err is %v, want ErrUnavailable", state.Err)
		}
		wrapped, ok := errors.AsType[*reception.Error](state.Err)
		if !ok || wrapped.Op != "WatchLeader" || wrapped.Name != "reaper" {
			t.Errorf("%#v is no *reception.Error of WatchLeader reaper", state.Err)
		}
		backend.Heal()
		state = next(t, states)
		wantLeader(t, state.Leader, "a", first.Token())
		if state.Err != nil {
			t.Errorf("Err is still %v", state.Err)
		}

		resign(t, first)
		wantLeader(t, next(t, states).Leader, "", 0)
		second := campaign(t, other, "a") // the same candidate, another term
		wantLeader(t, next(t, states).Leader, "a", second.Token())
		wantLeader(t, next(t, start(t, client.NewLeaderWatcher("reaper"))).Leader, "a", second.Token())
		resign(t, second)
		synctest.Wait()
		third := campaign(t, other, "b")
		synctest.Wait()
		wantLeader(t, next(t, states).Leader, "b", third.Token())
		noState(t, states)
	})
}

func TestLeaderWatchSeesTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster()
		client, backend, other := pair(t, cluster)
		observer := newClient(t, cluster.Backend())
		states := start(t, observer.NewLeaderWatcher("reaper"))
		next(t, states)
		first := campaign(t, client, "a")
		next(t, states)
		backend.Cut()
		second := campaign(t, other, "b")
		for state := next(t, states); state.Leader == nil || state.Leader.Service.ID != "b"; state = next(t, states) {
			wantLeader(t, state.Leader, "", 0) // on the way, at most
		}
		if second.Token() <= first.Token() {
			t.Errorf("tokens %d, then %d", first.Token(), second.Token())
		}
		backend.Heal()
		time.Sleep(time.Minute)
		noState(t, states)
	})
}

func TestLeaderWatcherStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, fake.NewCluster().Backend())
		if _, err := client.NewLeaderWatcher("a b").Start(t.Context()); !errors.Is(err, reception.ErrInvalidService) {
			t.Errorf("a bad name: %v", err)
		}
		w := client.NewLeaderWatcher("reaper")
		ctx, cancel := context.WithCancel(t.Context())
		states, err := w.Start(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Start(ctx); !errors.Is(err, reception.ErrStarted) {
			t.Errorf("started again: %v", err)
		}
		cancel()
		mustClose(t, states)
		_ = client.Close()
		if _, err := client.NewLeaderWatcher("reaper").Start(t.Context()); !errors.Is(err, reception.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
