package reception_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

func TestWatchIterator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &spy{Backend: fake.NewCluster().Backend()}
		client := newClient(t, backend)
		a := service("api", "a", 1)
		var seen []int
		sequence := reception.Watch(t.Context(), client, "api")
		for range 2 { // each use is a watch of its own
			seen = nil
			for state := range sequence {
				seen = append(seen, len(state.Services))
				if len(seen) == 1 {
					if err := client.Register(t.Context(), a, nil); err != nil {
						t.Fatal(err)
					}
					continue
				}
				break
			}
			deregister(t, client, a)
			synctest.Wait()
			if open, _ := backend.streams(); open != 0 {
				t.Errorf("%d streams are open after the loop", open)
			}
		}
		if len(seen) != 2 || seen[0] != 0 || seen[1] != 1 {
			t.Errorf("the loop saw %v instances, want 0, then 1", seen)
		}

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range reception.Watch(ctx, client, "api") {
			cancel()
		}
		for state := range reception.Watch(t.Context(), client, "a b") {
			if !errors.Is(state.Err, reception.ErrInvalidService) {
				t.Errorf("Err is %v", state.Err)
			}
		}
	})
}
