package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A line is what lies between a member's client and its backend. It records the calls, and brings trouble to single
// ones, which works on any backend.
type line struct {
	mu       sync.Mutex
	calls    []*call
	troubles []*trouble
	open     map[*driver.Operation]int // streams that are open
}

// A call is one use of an operation.
type call struct {
	driver.Call

	sent, answered time.Time // answered is zero while it is under way
	response       any       // nil after an error
	err            error
}

// A trouble befalls calls of one operation.
type trouble struct {
	op    *driver.Operation
	next  bool // it befalls Next, not the opening
	times int  // how many calls it befalls yet
	act   action
}

// An action stands in for a call. invoke makes it.
type action func(ctx context.Context, invoke func(context.Context) (any, error)) (any, error)

// always is the number of times of a trouble that does not end.
const always = int(^uint(0) >> 1)

// intercept is the line's driver.Interceptor.
func (l *line) intercept(ctx context.Context, c driver.Call, invoke func(context.Context) (any, error)) (any, error) {
	record, act := l.begin(c)
	if act == nil {
		act = plainly
	}
	result, err := act(ctx, invoke)
	result = l.track(c.Operation, result)
	l.mu.Lock()
	defer l.mu.Unlock()
	record.answered, record.err = time.Now(), err
	if err == nil {
		record.response = result
	}
	return result, err
}

func plainly(ctx context.Context, invoke func(context.Context) (any, error)) (any, error) {
	return invoke(ctx)
}

// begin records a call and picks the trouble that befalls it.
func (l *line) begin(c driver.Call) (*call, action) {
	l.mu.Lock()
	defer l.mu.Unlock()
	record := &call{Call: c, sent: time.Now()}
	l.calls = append(l.calls, record)
	for i, t := range l.troubles {
		if t.op == c.Operation && t.next == c.Next {
			if t.times--; t.times == 0 {
				l.troubles = slices.Delete(l.troubles, i, i+1)
			}
			return record, t.act
		}
	}
	return record, nil
}

// arm has act befall the next calls of op, as many as times says. It returns what ends that early.
func (l *line) arm(op *driver.Operation, times int, act action) (disarm func()) {
	return l.add(&trouble{op: op, times: times, act: act})
}

// armNext is arm for calls of Next on streams of op. A call that waits already is not befallen.
func (l *line) armNext(op *driver.Operation, times int, act action) (disarm func()) {
	return l.add(&trouble{op: op, next: true, times: times, act: act})
}

func (l *line) add(t *trouble) (disarm func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.troubles = append(l.troubles, t)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.troubles = slices.DeleteFunc(l.troubles, func(other *trouble) bool { return other == t })
	}
}

// refused is the trouble of a call that does not get through.
func refused(context.Context, func(context.Context) (any, error)) (any, error) {
	return nil, driver.ErrUnavailable
}

// denied is the trouble of a call that the backend refuses.
func denied(context.Context, func(context.Context) (any, error)) (any, error) {
	return nil, driver.ErrPermission
}

// lost is the trouble of a call that is carried out and whose answer does not arrive.
func lost(ctx context.Context, invoke func(context.Context) (any, error)) (any, error) {
	if _, err := invoke(ctx); err != nil {
		return nil, err
	}
	return nil, driver.ErrOutcomeUnknown
}

// slow returns the trouble of a call that is carried out at once and whose answer takes d.
func slow(d time.Duration) action {
	return func(ctx context.Context, invoke func(context.Context) (any, error)) (any, error) {
		result, err := invoke(ctx)
		if err != nil {
			return nil, err
		}
		if err := sleep(ctx, d); err != nil {
			return nil, errors.Join(driver.ErrOutcomeUnknown, err)
		}
		return result, nil
	}
}

// A held call is one that has been sent and does not arrive yet. When its caller gives up, it arrives all the same.
type held struct {
	arrived chan struct{} // closed when the call has been made
	release func()        // lets it arrive; more than once is fine
}

// hold has the next call of op held until it is released.
func (l *line) hold(op *driver.Operation) *held {
	gate := make(chan struct{})
	h := &held{arrived: make(chan struct{}), release: sync.OnceFunc(func() { close(gate) })}
	l.arm(op, 1, func(ctx context.Context, invoke func(context.Context) (any, error)) (any, error) {
		type outcome struct {
			result any
			err    error
		}
		done := make(chan outcome, 1)
		go func() {
			defer close(h.arrived)
			<-gate
			result, err := invoke(context.WithoutCancel(ctx))
			done <- outcome{result, err}
		}()
		select {
		case o := <-done:
			return o.result, o.err
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", driver.ErrOutcomeUnknown, ctx.Err())
		}
	})
	return h
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sent returns the calls of op, oldest first; of a stream those that opened one.
func (l *line) sent(op *driver.Operation) []call {
	return l.filter(0, func(c *call) bool { return c.Operation == op && !c.Next })
}

// confirmed returns those calls of op that have succeeded.
func (l *line) confirmed(op *driver.Operation) []call {
	return l.filter(0, func(c *call) bool {
		return c.Operation == op && !c.Next && c.err == nil && !c.answered.IsZero()
	})
}

// mark returns how many calls were recorded so far.
func (l *line) mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.calls)
}

// after returns the calls that were recorded after mark, without those of Next.
func (l *line) after(mark int) []call {
	return l.filter(mark, func(c *call) bool { return !c.Next })
}

// filter returns the calls to keep of those that were recorded after mark.
func (l *line) filter(mark int, keep func(*call) bool) []call {
	l.mu.Lock()
	defer l.mu.Unlock()
	var calls []call
	for _, c := range l.calls[mark:] {
		if keep(c) {
			calls = append(calls, *c)
		}
	}
	return calls
}

// streams returns how many streams of op are open.
func (l *line) streams(op *driver.Operation) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open[op]
}

// track counts a stream as open until it is closed. Other results it leaves as they are.
func (l *line) track(op *driver.Operation, result any) any {
	switch stream := result.(type) {
	case driver.InstanceStream:
		return track(l, op, stream)
	case driver.CandidateStream:
		return track(l, op, stream)
	default:
		return result
	}
}

func track[R any](l *line, op *driver.Operation, stream driver.Stream[R]) driver.Stream[R] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = make(map[*driver.Operation]int)
	}
	l.open[op]++
	return &tracked[R]{Stream: stream, closed: sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open[op]--
	})}
}

// tracked is a stream that tells when it is closed.
type tracked[R any] struct {
	driver.Stream[R]

	closed func()
}

// Close implements driver.Stream.
func (t *tracked[R]) Close() {
	t.Stream.Close()
	t.closed()
}
