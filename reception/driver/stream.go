package driver

import "context"

// A Stream delivers what happens to a set of records, one batch at a time. Its caller pulls; a backend buffers no more
// than it must, and answers a caller that has fallen behind its history with a Reset.
//
// Next and Close may be called concurrently with each other; two calls of Next may not.
type Stream[R any] interface {
	// Next waits for the next batch. The first one is a Reset with the present records, also when there are none; later
	// ones have changes, or a Proof.
	// After an error the stream is broken for good, except after ctx's own error, which loses nothing: close the
	// stream and open another one.
	Next(ctx context.Context) (*Batch[R], error)
	// Close ends the stream. A Next that waits returns [ErrClosed]. Closing again does nothing.
	Close()
}

// A Batch is a step of a stream. It and all it points to are shared and read-only.
type Batch[R any] struct {
	// Reset says that Changes, all of them puts in the order of creation, are the whole present set: whatever was known
	// before is void.
	Reset bool
	// Changes are in the order in which they happened.
	Changes []Change[R]
	// Cursor is the place in the backend's history up to which the batch is complete. It is no smaller than the
	// Revision of any write that the stream has shown, and compares with those only.
	Cursor uint64
	// Proof says that with this batch, which may have no changes, the stream was seen to be current; zero if not. One
	// that was given before holds until its time is over, or the stream breaks.
	Proof Proof
}

// A Change is what happened to one record.
type Change[R any] struct {
	// Deleted says that Record is gone; otherwise it is there, as new or with new content.
	Deleted bool
	// Record is the record as it is now, or as it was last.
	Record *R
}
