package fake

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A Stage is a point in the course of a call.
type Stage int

// The stages.
const (
	// Before is on the way to the cluster: nothing has been carried out.
	Before Stage = iota
	// Between is between two steps of an operation that is not atomic, once for each such place.
	Between
	// After is on the way back: the operation has been carried out, or refused.
	After
	// Next is the beginning of a call of Next on the operation's stream. An error breaks the stream for good.
	Next
)

// Always is the number of Times of a fault that never stops.
const Always = math.MaxInt

// A Fault is trouble with single calls of an operation. What it does, it does in the order of its fields.
type Fault struct {
	// Operation is the operation's name in the specification.
	Operation string
	// Stage is when it strikes.
	Stage Stage
	// Nth is the first of the operation's calls that it strikes, counted from 1, since its injection, as they arrive at
	// the stage. 0 is 1.
	Nth int
	// Times is how many calls in a row it strikes. 0 is 1.
	Times int

	// Delay is how long it holds the call up. It ends early, as the call does, with the call's context, and when the
	// link is cut or closed.
	Delay time.Duration
	// Hook, if there is one, is called, on the caller's goroutine and with no lock held. It may use the cluster and
	// its backends in any way. An error that it returns is treated as Err is.
	Hook func(ctx context.Context, call driver.Call) error
	// Err is what the caller gets. Between two steps, and after something was written, ErrOutcomeUnknown is joined to it.
	Err error
	// LoseReply loses the answer, of the operation or of the step before Between: the caller gets
	// [driver.ErrOutcomeUnknown] if something may have been written, and [driver.ErrUnavailable] otherwise.
	LoseReply bool
}

// Inject arms a fault, which strikes whichever process calls, until its Times are over or remove is called. It fails if
// the fault names no operation, can never strike, or would do nothing.
func (c *Cluster) Inject(f Fault) (remove func(), err error) { return c.faults.inject(f) }

// check returns the operation that the fault is about.
func (f *Fault) check() (*driver.Operation, error) {
	operations := driver.Operations()
	i := slices.IndexFunc(operations, func(op *driver.Operation) bool { return op.Name == f.Operation })
	if i < 0 {
		names := make([]string, len(operations))
		for i, op := range operations {
			names[i] = op.Name
		}
		return nil, fmt.Errorf("fake: no operation is called %q: known are %s", f.Operation, strings.Join(names, ", "))
	}
	if why := f.reject(operations[i]); why != "" {
		return nil, fmt.Errorf("fake: fault in %s: %s", f.Operation, why)
	}
	return operations[i], nil
}

// reject says what is wrong with the fault.
func (f *Fault) reject(op *driver.Operation) string {
	switch {
	case f.Stage < Before || f.Stage > Next:
		return fmt.Sprintf("Stage %d is none of Before, Between, After, Next", f.Stage)
	case f.Stage == Between && op.Atomic:
		return "the operation is atomic, so there is no Between"
	case f.Stage == Next && !op.Stream:
		return "the operation is no stream, so there is no Next"
	case f.Nth < 0 || f.Times < 0 || f.Delay < 0:
		return "Nth, Times and Delay must not be negative"
	case f.LoseReply && (f.Stage == Before || f.Stage == Next):
		return "there is no reply to lose Before or at Next"
	case f.LoseReply && f.Err != nil:
		return "a reply that is lost cannot be Err"
	case f.Delay == 0 && f.Hook == nil && f.Err == nil && !f.LoseReply:
		return "one of Delay, Hook, Err and LoseReply must be set"
	default:
		return ""
	}
}

// faults are those that are armed. The list is replaced, never changed, so that calls need no lock to read it.
type faults struct {
	mu    sync.Mutex
	armed atomic.Pointer[[]*armed]
}

// armed is a fault that counts.
type armed struct {
	Fault

	op      *driver.Operation
	arrived atomic.Int64
}

func (s *faults) inject(f Fault) (remove func(), err error) {
	op, err := f.check()
	if err != nil {
		return nil, err
	}
	f.Nth, f.Times = max(f.Nth, 1), max(f.Times, 1)
	a := &armed{Fault: f, op: op}
	s.change(func(list []*armed) []*armed { return append(list, a) })
	return func() { s.remove(a) }, nil
}

func (s *faults) remove(a *armed) {
	s.change(func(list []*armed) []*armed {
		return slices.DeleteFunc(list, func(b *armed) bool { return a == b })
	})
}

func (s *faults) change(change func([]*armed) []*armed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*armed
	if old := s.armed.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = change(list)
	s.armed.Store(&list)
}

// hits counts an arrival and says whether the fault strikes it; last says that it will strike no other.
func (a *armed) hits() (hit, last bool) {
	n := int(a.arrived.Add(1)) - a.Nth
	return n >= 0 && n < a.Times, n == a.Times-1
}

// due counts a call's arrival at a stage, for every fault that is armed for it, and adds those that strike it to list.
func (s *faults) due(list []*armed, op *driver.Operation, stage Stage) []*armed {
	all := s.armed.Load()
	if all == nil {
		return list
	}
	for _, a := range *all {
		if a.op != op || a.Stage != stage {
			continue
		}
		hit, last := a.hits()
		if hit {
			list = append(list, a)
		}
		if last {
			s.remove(a)
		}
	}
	return list
}

// strike does to a call what the fault does. scripted says that err is the script's own word for what the caller gets;
// otherwise it is what has become of the link, or of the answer.
func (a *armed) strike(c *call) (scripted bool, err error) {
	if a.Delay > 0 {
		if err := c.conn.Wait(c.ctx, nil, nil, a.Delay); err != nil {
			return false, err
		}
	}
	if a.Hook != nil {
		if err := a.Hook(c.ctx, driver.Call{Operation: c.op, Next: c.next, Request: c.request}); err != nil {
			return true, err
		}
	}
	switch {
	case a.Err != nil:
		return true, a.Err
	case a.LoseReply:
		return false, driver.ErrUnavailable
	default:
		return false, nil
	}
}
