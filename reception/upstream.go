package reception

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-reception/sdk/reception/driver"
)

// An upstream keeps a stream of the backend open, through every trouble, until its context ends.
type upstream[R any] struct {
	c    *client
	op   string // what errors call it
	name string
	open func(context.Context) (driver.Stream[R], error)
	// apply takes each batch; a stream's first one is a reset.
	apply func(*driver.Batch[R])
	// broken takes each trouble, as users may see it.
	broken func(error)
}

// run returns when ctx has ended. Whatever else goes wrong is tried again, refused permission and a backend that
// somebody else has closed included: a watch never ends because of an error.
func (u *upstream[R]) run(ctx context.Context) {
	retry := u.c.retrier()
	down := false
	healthy := func() {
		retry.Reset()
		if down {
			down = false
			u.c.event(EventWatchResumed, u.name, nil)
		}
	}
	for {
		err := u.follow(ctx, healthy)
		if ctx.Err() != nil {
			return
		}
		err = u.c.wrap(u.op, u.name, asUnavailable(err))
		if !down {
			down = true
			u.c.event(EventWatchBroken, u.name, err)
		}
		u.broken(err)
		if pause(ctx, retry.NextBackOff()) != nil {
			return
		}
	}
}

// follow opens a stream and applies its batches until it breaks.
func (u *upstream[R]) follow(ctx context.Context, healthy func()) error {
	stream, err := u.open(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		batch, err := stream.Next(ctx)
		if err != nil {
			return err
		}
		u.apply(batch)
		healthy()
	}
}

// asUnavailable makes err match ErrUnavailable, for users who only want to know that their view may be out of date. A
// refusal is left as it is: the backend could be asked, and it has answered.
func asUnavailable(err error) error {
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrPermission) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
