package fake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-reception/sdk/fake/internal/kernel"
	"github.com/go-reception/sdk/reception/driver"
)

// call is one use of an operation, on its way to the cluster and back.
type call struct {
	backend *Backend
	ctx     context.Context
	op      *driver.Operation
	next    bool // it is a call of Next
	request any
	conn    *connection
}

// unary carries out an operation that has one answer, as rule says.
func unary[In, Out any](
	ctx context.Context, b *Backend, op *driver.Operation, in *In,
	rule func(*kernel.Tx, *tables, *In, *Out) error,
) (*Out, error) {
	if b.cluster.history == nil {
		return exchange(ctx, b, op, in, rule)
	}
	started, request := time.Now(), *in
	out, err := exchange(ctx, b, op, in, rule)
	e := Entry{Backend: b.label, Operation: op, Request: &request, Err: err, Started: started}
	if err == nil {
		e.Response = out
	}
	b.cluster.history.add(&e)
	return out, err
}

func exchange[In, Out any](
	ctx context.Context, b *Backend, op *driver.Operation, in *In,
	rule func(*kernel.Tx, *tables, *In, *Out) error,
) (*Out, error) {
	c := call{backend: b, ctx: ctx, op: op, request: in}
	if err := c.send(); err != nil {
		return nil, err
	}
	out := new(Out)
	result := b.cluster.kernel.Run(c.caller(), func(tx *kernel.Tx) error { return rule(tx, b.cluster.tables, in, out) })
	if err := c.receive(result); err != nil {
		return nil, err
	}
	return out, nil
}

// send takes the request to the cluster. When it fails, nothing has been written.
func (c *call) send() (err error) {
	if c.conn, err = c.backend.link.dial(c.ctx); err != nil {
		return err
	}
	if _, err = c.strike(Before); err != nil {
		return err
	}
	return c.conn.pass(c.ctx)
}

// caller is the call as the kernel sees it.
func (c *call) caller() kernel.Caller {
	caller := kernel.Caller{Context: c.ctx, Peer: c.backend.peer, Line: c.conn}
	if !c.op.Atomic {
		kept := *c // rather than c, which would then be on the heap for atomic operations too
		caller.Between = kept.between
	}
	return caller
}

// between stands between two steps, which are requests of their own.
func (c *call) between() error {
	if _, err := c.strike(Between); err != nil {
		return err
	}
	return c.conn.pass(c.ctx)
}

// receive takes the answer back from the cluster, and returns the error that the caller gets.
func (c *call) receive(r kernel.Result) error {
	switch {
	case r.Interrupted && r.Wrote:
		return unknown(r.Err)
	case r.Interrupted:
		return r.Err
	}
	if scripted, err := c.strike(After); scripted {
		return err
	} else if err != nil {
		return c.lost(err)
	}
	if err := c.conn.pass(c.ctx); err != nil {
		return c.lost(err)
	}
	return r.Err
}

// strike lets the faults strike that are armed for this process, and then those for all, until one of them ends the
// call.
func (c *call) strike(stage Stage) (scripted bool, err error) {
	due := c.backend.faults.due(nil, c.op, stage)
	for _, a := range c.backend.cluster.faults.due(due, c.op, stage) {
		if scripted, err = a.strike(c); err != nil {
			return scripted, err
		}
	}
	return false, nil
}

// lost is the error of a call whose answer did not arrive because of err.
func (c *call) lost(err error) error {
	if c.op.Readonly {
		return err
	}
	return unknown(err)
}

// unknown is the error of a call that may have written something when err befell it.
func unknown(err error) error {
	if errors.Is(err, driver.ErrUnavailable) { // which would say that nothing was written
		return driver.ErrOutcomeUnknown
	}
	return fmt.Errorf("%w: %w", driver.ErrOutcomeUnknown, err)
}
