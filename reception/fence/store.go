package fence

import "context"

// A Record is what a Store holds: a value, and the token of the term in which it was written.
type Record[V any] struct {
	Value V
	Token uint64
	// Version is what the store compares. It is 0 where there is no record yet, and different after every change.
	Version uint64
}

// A Store is one record of a resource that can be changed by comparing and setting. It must be linearizable: a Load
// sees every Swap that has returned before it was called.
type Store[V any] interface {
	// Load returns the record; the zero Record if there is none.
	Load(ctx context.Context) (Record[V], error)
	// Swap stores the value and token of next if the version is still that of old, and says whether it was. With an
	// error it is unknown whether it was, unless the store knows better.
	Swap(ctx context.Context, old, next Record[V]) (swapped bool, err error)
}

// Claim shows the store a new leader's token, so that nothing of an earlier term is accepted from then on, and returns
// the value that stands. It is a new leader's first act.
func Claim[V any](ctx context.Context, store Store[V], token uint64) (V, error) {
	return Update(ctx, store, token, func(value V) (V, error) { return value, nil })
}

// Update changes the value in the name of the term that has the token, and returns what it has stored. change is called
// with the value that is to be replaced, and again if somebody else has replaced that meanwhile; its error ends Update.
// A store that has seen a greater token refuses with a [*StaleError].
//
// Other errors are the store's, among them the context's. It is then unknown whether the value was changed.
func Update[V any](ctx context.Context, store Store[V], token uint64, change func(V) (V, error)) (V, error) {
	var none V
	for {
		old, err := store.Load(ctx)
		if err != nil {
			return none, err
		}
		if token < old.Token {
			return none, &StaleError{Token: token, Newest: old.Token}
		}
		value, err := change(old.Value)
		if err != nil {
			return none, err
		}
		swapped, err := store.Swap(ctx, old, Record[V]{Value: value, Token: token})
		if err != nil {
			return none, err
		}
		if swapped {
			return value, nil
		}
	}
}
