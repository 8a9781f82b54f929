package fence_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-reception/sdk/reception/fence"
)

func TestGuardRefusesSmallerTokens(t *testing.T) {
	var g fence.Guard
	for _, step := range []struct {
		token uint64
		stale bool
	}{{5, false}, {5, false}, {4, true}, {9, false}, {5, true}, {9, false}, {0, true}} {
		newest := g.Newest()
		acted := false
		err := g.Do(step.token, func() error { acted = true; return nil })
		if errors.Is(err, fence.ErrStale) != step.stale || acted == step.stale {
			t.Errorf("token %d after %d: %v, acted: %v", step.token, newest, err, acted)
		}
		if stale, is := errors.AsType[*fence.StaleError](err); is && *stale != (fence.StaleError{Token: step.token, Newest: newest}) {
			t.Errorf("token %d after %d: the error says %+v", step.token, newest, stale)
		}
	}
	g.Reset()
	if err := g.Admit(1); err != nil {
		t.Errorf("after a reset: %v", err)
	}
}

// TestGuardKeepsTheTokenOfAFailure: a leader whose write has failed leads all the same.
func TestGuardKeepsTheTokenOfAFailure(t *testing.T) {
	var g fence.Guard
	broken := errors.New("broken")
	if err := g.Do(7, func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := g.Admit(6); !errors.Is(err, fence.ErrStale) {
		t.Errorf("an earlier token after a write that has failed: %v", err)
	}
}

// TestGuardComparesAndActsAsOneStep has an old leader and a new one write at the same time: once the new one has
// written, the old one never does.
func TestGuardComparesAndActsAsOneStep(t *testing.T) {
	for range 200 {
		var g fence.Guard
		var writes []uint64
		var group sync.WaitGroup
		for token := range uint64(8) {
			group.Go(func() { _ = g.Do(token, func() error { writes = append(writes, token); return nil }) })
		}
		group.Wait()
		for i := 1; i < len(writes); i++ {
			if writes[i] < writes[i-1] {
				t.Fatalf("written in the order %v", writes)
			}
		}
	}
}

// memory is a Store that somebody else changes just before the first swaps.
type memory struct {
	mu     sync.Mutex
	record fence.Record[int]
	rivals atomic.Int64
	fail   error
}

func (m *memory) Load(context.Context) (fence.Record[int], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record, nil
}

func (m *memory) Swap(_ context.Context, old, next fence.Record[int]) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rivals.Add(-1) >= 0 {
		m.record.Version++
		m.record.Value += 100
	}
	if m.fail != nil || m.record.Version != old.Version {
		return false, m.fail
	}
	next.Version = old.Version + 1
	m.record = next
	return true, nil
}

func increment(n int) (int, error) { return n + 1, nil }

func TestUpdate(t *testing.T) {
	store := &memory{}
	if value, err := fence.Update(t.Context(), store, 3, increment); value != 1 || err != nil {
		t.Fatalf("the first update: %d, %v", value, err)
	}
	store.rivals.Store(2)
	if value, err := fence.Update(t.Context(), store, 3, increment); value != 202 || err != nil {
		t.Fatalf("an update that was overtaken twice: %d, %v", value, err)
	}
	if value, err := fence.Claim(t.Context(), store, 4); value != 202 || err != nil {
		t.Fatalf("a claim: %d, %v", value, err)
	}
	_, err := fence.Update(t.Context(), store, 3, func(int) (int, error) {
		t.Error("a leader of the past is asked for a change")
		return 0, nil
	})
	if stale, is := errors.AsType[*fence.StaleError](err); !is || *stale != (fence.StaleError{Token: 3, Newest: 4}) {
		t.Errorf("an update of the past: %v", err)
	}
}

// TestUpdateIsOvertakenByANewLeader: the claim comes between the old leader's load and its swap.
func TestUpdateIsOvertakenByANewLeader(t *testing.T) {
	store := &memory{}
	calls := 0
	_, err := fence.Update(t.Context(), store, 3, func(n int) (int, error) {
		calls++
		_, err := fence.Claim(t.Context(), store, 4)
		return n + 1, err
	})
	if !errors.Is(err, fence.ErrStale) || calls != 1 || store.record.Value != 0 {
		t.Errorf("%v after %d calls, value %d", err, calls, store.record.Value)
	}
}

func TestUpdateEndsWithErrors(t *testing.T) {
	broken := errors.New("broken")
	store := &memory{fail: broken}
	if _, err := fence.Update(t.Context(), store, 1, increment); !errors.Is(err, broken) {
		t.Errorf("a store that fails: %v", err)
	}
	if _, err := fence.Update(t.Context(), store, 1, func(int) (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("a change that fails: %v", err)
	}
}
