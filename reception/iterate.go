package reception

import (
	"context"
	"iter"
)

// Watch returns the states of a watcher of name, for use with range:
//
//	for state := range reception.Watch(ctx, client, "api") {
//		…
//	}
//
// Each use of the sequence is a watch of its own, which ends with the loop, with ctx, or with the client's Close. A
// watch that cannot be started, because name is bad or the client closed, yields one state with Err.
func Watch(ctx context.Context, client Client, name string) iter.Seq[*ServiceState] {
	return func(yield func(*ServiceState) bool) {
		watcher := client.NewWatcher(name)
		defer watcher.Stop()
		states, err := watcher.Start(ctx)
		if err != nil {
			yield(&ServiceState{Err: err})
			return
		}
		for state := range states {
			if !yield(state) {
				return
			}
		}
	}
}
