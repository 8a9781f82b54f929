package reception

import (
	"context"
	"testing"
)

func TestPursuitIsDoneWhenTheContextEnds(t *testing.T) {
	// What is confirmed is not reported as unconfirmed because the context of whoever waits has ended, too.
	p := newPursuit()
	close(p.done)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := p.wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
