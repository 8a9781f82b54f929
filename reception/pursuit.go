package reception

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cenkalti/backoff/v5"
)

// A pursuit tries one thing until the backend confirms it, for as long as that takes, while those who asked for it wait
// no longer than they want to.
type pursuit struct {
	done    chan struct{} // closed when it is confirmed
	refused chan struct{} // closed when the backend has refused it for the first time
	dropped chan struct{} // closed when it is not pursued any more, though it was not confirmed

	mu      sync.Mutex
	failure error // of the newest attempt
}

func newPursuit() *pursuit {
	return &pursuit{done: make(chan struct{}), refused: make(chan struct{}), dropped: make(chan struct{})}
}

// run tries once again and again, and reports whether it has succeeded before ctx ended. It is called once.
func (p *pursuit) run(ctx context.Context, retry *backoff.ExponentialBackOff, once func(context.Context) error) bool {
	for {
		err := attempt(ctx, once)
		if err == nil {
			close(p.done)
			return true
		}
		p.fail(err)
		if pause(ctx, retry.NextBackOff()) != nil {
			close(p.dropped)
			return false
		}
	}
}

// fail notes a failed attempt.
func (p *pursuit) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = err
	if !errors.Is(err, ErrPermission) {
		return
	}
	select {
	case <-p.refused:
	default:
		close(p.refused)
	}
}

// wait returns nil once the pursuit has succeeded. It fails when the backend refuses, which trying again will hardly
// change, or when ctx ends first; the pursuit goes on all the same. It also fails when the pursuit ends without success,
// so that nobody waits for ever whose ctx does not end.
func (p *pursuit) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return nil
	case <-p.refused:
	case <-p.dropped:
	case <-ctx.Done():
	}
	select {
	case <-p.done: // at the same moment, of which select takes either
		return nil
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if errors.Is(p.failure, ErrPermission) {
		return p.failure
	}
	select {
	case <-p.dropped:
		return fmt.Errorf("%w: never confirmed, and not tried any more: %w", ErrUnavailable, p.failure)
	default:
	}
	return fmt.Errorf("%w: not confirmed yet, it goes on in the background: %w",
		ErrUnavailable, errors.Join(ended(ctx), p.failure))
}
