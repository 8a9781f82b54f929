package conformance_test

import (
	"context"

	"github.com/go-reception/sdk/reception/driver"
)

// wrong returns a broken backend, every call of which goes through an interceptor of its own.
func wrong(with func(b driver.Backend) driver.Interceptor) func(driver.Backend) driver.Backend {
	return func(b driver.Backend) driver.Backend { return driver.Intercept(b, with(b)) }
}

// An invocation makes a call.
type invocation = func(context.Context) (any, error)

// answering returns a broken backend whose answers to one operation are changed. They are shared, so change gets a copy.
func answering[R any](op *driver.Operation, change func(*R)) func(driver.Backend) driver.Backend {
	return wrong(func(driver.Backend) driver.Interceptor {
		return func(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
			result, err := invoke(ctx)
			response, ok := result.(*R)
			if call.Operation != op || err != nil || !ok {
				return result, err
			}
			answer := *response
			change(&answer)
			return &answer, nil
		}
	})
}

// instead returns a broken backend that does something else when one operation is called.
func instead[Q any](
	op *driver.Operation, do func(ctx context.Context, b driver.Backend, request *Q, invoke invocation) (any, error),
) func(driver.Backend) driver.Backend {
	return wrong(func(b driver.Backend) driver.Interceptor {
		return func(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
			request, ok := call.Request.(*Q)
			if call.Operation != op || call.Next || !ok {
				return invoke(ctx)
			}
			return do(ctx, b, request, invoke)
		}
	})
}

// failing returns a broken backend that returns other errors.
func failing(change func(call driver.Call, err error) error) func(driver.Backend) driver.Backend {
	return wrong(func(driver.Backend) driver.Interceptor {
		return func(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
			result, err := invoke(ctx)
			if err != nil {
				err = change(call, err)
			}
			return result, err
		}
	})
}

// streaming returns a broken backend whose streams of one operation deliver changed batches; nil delivers none. Each
// stream gets a change of its own.
func streaming[R any](op *driver.Operation, each func() func(*driver.Batch[R]) *driver.Batch[R]) func(driver.Backend) driver.Backend {
	return wrong(func(driver.Backend) driver.Interceptor {
		return func(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
			result, err := invoke(ctx)
			stream, ok := result.(driver.Stream[R])
			if call.Operation != op || err != nil || !ok {
				return result, err
			}
			return &changing[R]{stream, each()}, nil
		}
	})
}

// changing is a stream that delivers changed batches.
type changing[R any] struct {
	driver.Stream[R]

	change func(*driver.Batch[R]) *driver.Batch[R]
}

func (s *changing[R]) Next(ctx context.Context) (*driver.Batch[R], error) {
	for {
		batch, err := s.Stream.Next(ctx)
		if err != nil {
			return nil, err
		}
		changed := *batch
		if result := s.change(&changed); result != nil {
			return result, nil
		}
	}
}

// always is for streaming: the same change for every stream.
func always[R any](change func(*driver.Batch[R]) *driver.Batch[R]) func() func(*driver.Batch[R]) *driver.Batch[R] {
	return func() func(*driver.Batch[R]) *driver.Batch[R] { return change }
}

// deaf is for streaming: a stream that delivers its first batch and nothing more.
func deaf[R any]() func(*driver.Batch[R]) *driver.Batch[R] {
	return deafAfter(func(*driver.Batch[R]) bool { return true })
}

// deafened is for streaming: a stream that delivers its first record and nothing more.
func deafened[R any]() func(*driver.Batch[R]) *driver.Batch[R] {
	return deafAfter(func(b *driver.Batch[R]) bool { return len(b.Changes) > 0 })
}

func deafAfter[R any](last func(*driver.Batch[R]) bool) func(*driver.Batch[R]) *driver.Batch[R] {
	heard := false
	return func(b *driver.Batch[R]) *driver.Batch[R] {
		if heard {
			return nil
		}
		heard = last(b)
		return b
	}
}
