package driver

import (
	"context"
	"slices"
)

// An Operation describes one operation of the SPI: what the spec says of it, for code that treats all operations alike
// (faults, histories, metrics, the conformance suite's table).
type Operation struct {
	// Name is the operation's name in the spec. A stream's method on [Backend] is Open followed by Name.
	Name string
	// Stream says that the operation opens a [Stream].
	Stream bool
	// Readonly says that the operation writes nothing.
	Readonly bool
	// Idempotent says that the operation may be repeated after [ErrOutcomeUnknown] without harm.
	Idempotent bool
	// Blocking says that the operation may wait for as long as its context allows.
	Blocking bool
	// Atomic says that others see all of the operation or nothing of it, on every backend.
	Atomic bool
	// Errors are those that the operation declares, beyond those that any operation may meet.
	Errors []error
}

// Operations returns all operations in the order of the spec. The slice is the caller's.
func Operations() []*Operation { return slices.Clone(operations) }

// A Call is one use of an operation, as an [Interceptor] sees it.
type Call struct {
	// Operation is what is called.
	Operation *Operation
	// Next says that this is a call of Next on the operation's stream, rather than of the method that opens it.
	Next bool
	// Request points to the operation's request, which is read-only.
	Request any
}

// An Interceptor stands around every call of a backend: it may look, delay, refuse, or replace the error. invoke makes
// the call; its result points to the operation's response, or is the opened [Stream], or the [Batch] that Next got.
type Interceptor func(ctx context.Context, call Call, invoke func(context.Context) (any, error)) (any, error)

// intercept runs one call through an interceptor and gives its result its type back.
func intercept[Q, R any](
	ctx context.Context, with Interceptor, operation *Operation, request Q, invoke func(context.Context, Q) (R, error),
) (R, error) {
	call := Call{Operation: operation, Request: request}
	return interceptCall(ctx, with, call, func(ctx context.Context) (R, error) { return invoke(ctx, request) })
}

// interceptStream opens a stream through an interceptor and has it see every Next.
func interceptStream[Q, R any](
	ctx context.Context, with Interceptor, operation *Operation, request Q, open func(context.Context, Q) (Stream[R], error),
) (Stream[R], error) {
	stream, err := intercept(ctx, with, operation, request, open)
	if err != nil {
		return nil, err
	}
	next := Call{Operation: operation, Next: true, Request: request}
	return &interceptedStream[R]{Stream: stream, with: with, next: next}, nil
}

func interceptCall[R any](
	ctx context.Context, with Interceptor, call Call, invoke func(context.Context) (R, error),
) (R, error) {
	result, err := with(ctx, call, func(ctx context.Context) (any, error) { return invoke(ctx) })
	typed, _ := result.(R)
	return typed, err
}

// An interceptedStream runs each Next through the interceptor that has seen the stream being opened.
type interceptedStream[R any] struct {
	Stream[R]
	with Interceptor
	next Call
}

// Next implements [Stream].
func (s *interceptedStream[R]) Next(ctx context.Context) (*Batch[R], error) {
	return interceptCall(ctx, s.with, s.next, s.Stream.Next)
}
