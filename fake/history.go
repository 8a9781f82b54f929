package fake

import (
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// An Entry is a call that has ended. Requests and responses are shared: treat them as read-only.
type Entry struct {
	// Seq numbers the calls in the order in which they ended, from 1.
	Seq uint64
	// Backend is the label of the process that called.
	Backend string
	// Operation is what was called.
	Operation *driver.Operation
	// Next says that it was a call of Next on the operation's stream, rather than of the method that opens it.
	Next bool
	// Request points to a shallow copy of the operation's request.
	Request any
	// Response points to the operation's response, or to the batch that Next returned. It is nil after an error, and
	// for the opening of a stream.
	Response any
	// Err is what the caller got.
	Err error
	// Started and Ended are when the caller called, and when it got its answer.
	Started, Ended time.Time
}

// history is a ring of the latest calls.
type history struct {
	mu      sync.Mutex
	limit   int
	entries []Entry
	seq     uint64
}

func newHistory(calls int) *history { return &history{limit: calls} }

// add numbers and keeps an entry.
func (h *history) add(e *Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	e.Seq, e.Ended = h.seq, time.Now()
	if len(h.entries) < h.limit {
		h.entries = append(h.entries, *e)
		return
	}
	h.entries[(h.seq-1)%uint64(len(h.entries))] = *e
}

// list returns the entries, oldest first.
func (h *history) list() []Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]Entry, 0, len(h.entries))
	for i := range uint64(len(h.entries)) {
		list = append(list, h.entries[(h.seq+i)%uint64(len(h.entries))])
	}
	return list
}

// History returns the latest calls that have ended, as many as [WithHistory] asked for, oldest first.
func (c *Cluster) History() []Entry {
	if c.history == nil {
		return nil
	}
	return c.history.list()
}
