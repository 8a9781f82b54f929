package kernel

import (
	"slices"

	"github.com/go-reception/sdk/reception/driver"
)

// Await waits until a record is the first of its scope, and returns its place in the order of creation. It returns
// at once when there is no such record, and stops waiting when it is removed: then there is false, or, if its session
// has ended, the error is driver.ErrSessionExpired. Other errors are those of the caller's line.
//
// The lock is not held while it waits. It is woken when the record comes to the head or is removed, and by nothing
// else: one departure wakes one successor.
func (t *Table[R]) Await(tx *Tx, scope, key string) (order uint64, there bool, err error) {
	r := t.find(scope, key)
	if r == nil {
		return 0, false, nil
	}
	for !r.gone && r.scope.first != r {
		if err := r.await(tx); err != nil {
			return 0, false, err
		}
	}
	switch {
	case r.lost:
		return 0, false, driver.ErrSessionExpired
	case r.gone:
		return 0, false, nil
	default:
		return *t.schema.Order(r.record), true, nil
	}
}

// await waits until the row is woken.
func (r *row[R]) await(tx *Tx) error {
	turn := make(chan struct{})
	r.waiting = append(r.waiting, turn)
	err := tx.outside(func() error { return tx.caller.Line.Wait(tx.caller.Context, turn, nil, 0) })
	if i := slices.Index(r.waiting, turn); i >= 0 {
		r.waiting = slices.Delete(r.waiting, i, i+1)
	}
	return err
}

// wake wakes those who wait for the row's turn.
func (r *row[R]) wake() {
	for _, turn := range r.waiting {
		close(turn)
	}
	r.scope.table.kernel.wakeUps += uint64(len(r.waiting))
	r.waiting = nil
}
