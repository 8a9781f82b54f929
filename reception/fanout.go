package reception

import "sync"

// A fanout hands the newest of a series of values to any number of readers, each at its own pace.
//
// A reader has a channel with one slot. Publishing takes back what the reader has not fetched, and puts in how the new
// value differs from what this reader fetched last. So a slow reader holds up nobody, costs one state and the value
// that it stands at, and sees no state after a newer one; and no goroutine stands between publisher and reader.
//
// All of it happens under mu, which is held for moments only: nothing inside can wait. What that forbids is written
// where it would happen.
type fanout[V, S any] struct {
	// render makes the state that leads a reader from the value seen, nil if it has seen none, to now. It returns nil
	// when there is nothing to tell.
	render func(seen, now *V) *S

	mu      sync.Mutex
	readers []*reader[V, S]
	now     *V        // the newest value; nil before the first
	states  map[*V]*S // what render has made of now, by what was seen: readers that stand at one place share a state
}

// A reader is one end of a fanout.
type reader[V, S any] struct {
	slot   chan *S
	place  int    // in fanout.readers; -1 once it has left
	detach func() // to be called, without locks, when the fanout ends before the reader leaves

	// seen is the value that the reader stood at when the slot was last filled; sent is the one that the slot then led
	// to.
	seen, sent *V
}

// publish makes now the newest value and tells the readers.
//
// The interleaving that mu forbids: one publish is overtaken by the next between making a state and putting it into the
// slot, and the reader gets the old state last.
func (f *fanout[V, S]) publish(now *V) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	f.states = make(map[*V]*S, 1)
	for _, r := range f.readers {
		f.deliver(r)
	}
}

// deliver leads r to the newest value. It is called with mu held.
//
// Against the reader, which fetches without mu, there is one race, and both of its outcomes are right: either the slot
// is drained here, and then the reader has not seen that state and stands where it stood; or the reader was first, and
// then it stands at what was sent. A reader that fetches after the drain finds the slot empty until it is filled again.
func (f *fanout[V, S]) deliver(r *reader[V, S]) {
	select {
	case <-r.slot:
	default:
		r.seen = r.sent
	}
	if state := f.state(r.seen); state != nil {
		// Never waits: the slot is empty, and only who holds mu fills it.
		r.slot <- state
	}
	r.sent = f.now
}

// state returns what leads from seen to the newest value, nil for nothing. It is called with mu held.
func (f *fanout[V, S]) state(seen *V) *S {
	state, known := f.states[seen]
	if !known {
		state = f.render(seen, f.now)
		f.states[seen] = state
	}
	return state
}

// join adds a reader, which finds the newest value in its slot if there is one.
//
// The interleaving that mu forbids: the newcomer takes the newest value; a newer one is published to all readers, it
// not among them yet; it is added with the old value in its slot, and stays behind until something else happens.
func (f *fanout[V, S]) join(detach func()) *reader[V, S] {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &reader[V, S]{slot: make(chan *S, 1), place: len(f.readers), detach: detach}
	f.readers = append(f.readers, r)
	if f.now != nil {
		f.deliver(r)
	}
	return r
}

// leave removes r and closes its channel. It reports whether nobody is left. Leaving again does nothing.
//
// The interleaving that mu forbids: publish has picked r out of readers, r leaves and its channel is closed, publish
// sends on it and panics.
func (f *fanout[V, S]) leave(r *reader[V, S]) (last bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.place >= 0 {
		final := len(f.readers) - 1
		f.readers[final].place = r.place
		f.readers[r.place] = f.readers[final]
		f.readers[final] = nil
		f.readers = f.readers[:final]
		r.close()
	}
	return len(f.readers) == 0
}

// end has every reader leave.
func (f *fanout[V, S]) end() {
	f.mu.Lock()
	readers := f.readers
	f.readers = nil
	for _, r := range readers {
		r.close()
	}
	f.mu.Unlock()
	for _, r := range readers {
		r.detach()
	}
}

// close closes the reader's channel, with nothing left in it: after Stop nothing is delivered any more. It is called
// with the fanout's mu held.
func (r *reader[V, S]) close() {
	select {
	case <-r.slot:
	default:
	}
	close(r.slot)
	r.place = -1
	r.seen, r.sent = nil, nil
}
