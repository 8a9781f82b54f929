package fake

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/go-reception/sdk/fake/internal/kernel"
	"github.com/go-reception/sdk/reception/driver"
)

// stream opens a stream, as rule says.
func stream[In, R any](
	ctx context.Context, b *Backend, op *driver.Operation, in *In,
	rule func(*kernel.Tx, *tables, *In) (driver.Stream[R], error),
) (driver.Stream[R], error) {
	request := *in
	o := &opened[R]{call: call{backend: b, op: op, request: &request}}
	started := o.started()
	err := open(ctx, o, rule, in)
	o.record(started, nil, err)
	if err != nil {
		return nil, err
	}
	o.call.next = true
	return o, nil
}

func open[In, R any](
	ctx context.Context, o *opened[R], rule func(*kernel.Tx, *tables, *In) (driver.Stream[R], error), in *In,
) error {
	c := o.call
	c.ctx = ctx
	if err := c.send(); err != nil {
		return err
	}
	var stream driver.Stream[R]
	result := c.backend.cluster.kernel.Run(c.caller(), func(tx *kernel.Tx) (err error) {
		stream, err = rule(tx, c.backend.cluster.tables, in)
		return err
	})
	if result.Err != nil {
		return c.receive(result)
	}
	o.call.conn, o.stream = c.conn, stream
	c.backend.track(o) // before the answer is let through: what is closed by then does not get it
	err := c.receive(result)
	if err != nil {
		o.Close()
	}
	return err
}

// opened is a stream of the kernel as it arrives over a link.
type opened[R any] struct {
	stream driver.Stream[R]
	call   call // which has no ctx: that is a Next's
	closed atomic.Bool

	// Next alone uses these.
	broken  error
	pending *driver.Batch[R] // one that could not be handed over before the context ended
}

// Next implements [driver.Stream].
func (o *opened[R]) Next(ctx context.Context) (*driver.Batch[R], error) {
	started := o.started()
	batch, err := o.receive(ctx)
	o.record(started, batch, err)
	return batch, err
}

// receive waits for a batch and takes it over the link.
func (o *opened[R]) receive(ctx context.Context) (batch *driver.Batch[R], err error) {
	if o.broken != nil {
		return nil, o.broken
	}
	c := o.call
	c.ctx = ctx
	if err = o.wait(&c); err == nil {
		batch, o.pending = o.pending, nil
		return batch, nil
	}
	if ended := ctx.Err(); ended == nil || !errors.Is(err, ended) {
		o.broken = err
	}
	return nil, err
}

// wait waits until a batch is pending and may be handed over.
func (o *opened[R]) wait(c *call) error {
	if err := c.ready(o.closed.Load()); err != nil {
		return err
	}
	if _, err := c.strike(Next); err != nil {
		return err
	}
	if o.pending == nil {
		batch, err := o.stream.Next(c.ctx)
		if err != nil {
			return err
		}
		o.pending = batch
	}
	return c.conn.pass(c.ctx)
}

// ready says whether Next can be called at all.
func (c *call) ready(closed bool) error {
	switch {
	case closed:
		return driver.ErrClosed
	case c.ctx.Err() != nil && !c.backend.link.state.Load().closed:
		return c.ctx.Err()
	default:
		return c.conn.pass(c.ctx)
	}
}

// Close implements [driver.Stream].
func (o *opened[R]) Close() {
	o.closed.Store(true)
	o.call.backend.untrack(o)
	o.stream.Close()
}

// started is when a call began, if anybody wants to know.
func (o *opened[R]) started() time.Time {
	if o.call.backend.cluster.history == nil {
		return time.Time{}
	}
	return time.Now()
}

// record adds a call, of the method that opens the stream or of Next, to the history.
func (o *opened[R]) record(started time.Time, batch *driver.Batch[R], err error) {
	h := o.call.backend.cluster.history
	if h == nil {
		return
	}
	e := Entry{
		Backend:   o.call.backend.label,
		Operation: o.call.op,
		Next:      o.call.next,
		Request:   o.call.request,
		Err:       err,
		Started:   started,
	}
	if batch != nil {
		e.Response = batch
	}
	h.add(&e)
}
