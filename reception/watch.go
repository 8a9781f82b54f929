package reception

import (
	"context"
	"sync"
)

// watches are a client's watches of one kind. All watchers of a name share one upstream, which runs while there are
// any.
type watches[V, S any] struct {
	c  *client
	op string // what errors call it
	// render is the fanout's.
	render func(seen, now *V) *S
	// follow publishes what it sees of name until ctx ends.
	follow func(ctx context.Context, name string, publish func(*V))

	// mu is taken before that of a fanout and of the client. Nothing that can wait happens under it.
	mu    sync.Mutex
	feeds map[string]*feed[V, S]
}

// A feed is the upstream of one name, and its readers. One that is among watches.feeds has at least one reader and has
// not ended.
type feed[V, S any] struct {
	fanout[V, S]
	cancel context.CancelFunc // of the upstream
}

// join adds a reader of name. What it returns has the reader leave again.
//
// The interleaving that mu forbids, here and in leave: the last reader leaves; before its feed is taken out of feeds
// another one joins it; the feed is ended, and the new reader never hears anything.
func (w *watches[V, S]) join(name string, detach func()) (states <-chan *S, leave func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.feeds[name]
	if f == nil {
		if f = w.start(name); f == nil {
			return nil, nil, ErrClosed
		}
		w.feeds[name] = f
	}
	r := f.join(detach)
	return r.slot, func() { w.leave(name, f, r) }, nil
}

// start begins an upstream of name, unless the client is closed. It is called with mu held, so that an upstream that
// ends at once cannot be over before it is among feeds.
func (w *watches[V, S]) start(name string) *feed[V, S] {
	ctx, cancel := context.WithCancel(w.c.life)
	f := &feed[V, S]{fanout: fanout[V, S]{render: w.render}, cancel: cancel}
	unhook := context.AfterFunc(w.c.life, func() { w.end(name, f) }) // even if the backend keeps follow from returning
	running := w.c.spawn(func() {
		defer w.end(name, f)
		defer unhook()
		w.follow(ctx, name, f.publish)
	})
	if !running {
		unhook()
		cancel()
		return nil
	}
	return f
}

// leave has r leave f, and ends an upstream that has no reader left. It does not wait for that end: it may be called by
// what the upstream waits for.
func (w *watches[V, S]) leave(name string, f *feed[V, S], r *reader[V, S]) {
	w.mu.Lock()
	last := f.leave(r)
	if last {
		w.forget(name, f)
	}
	w.mu.Unlock()
	if last {
		f.cancel()
	}
}

// end follows the end of an upstream: of the client's life, or after the last reader has left. In the first case it
// ends the readers too; Close joins this, so that all channels are closed when it returns. Ending again does nothing.
func (w *watches[V, S]) end(name string, f *feed[V, S]) {
	w.mu.Lock()
	w.forget(name, f)
	w.mu.Unlock()
	f.end() // outside mu: nobody can join f any more
}

// forget takes f out of feeds, but not its successor, which is there if somebody has joined after f's last reader left.
// It is called with mu held.
func (w *watches[V, S]) forget(name string, f *feed[V, S]) {
	if w.feeds[name] == f {
		delete(w.feeds, name)
	}
}

// A watcher is a Watcher or a LeaderWatcher.
type watcher[V, S any] struct {
	watches *watches[V, S]
	name    string
	invalid error // what is wrong with name

	mu    sync.Mutex // taken before that of watches
	used  bool       // started or stopped
	leave func()     // nil while there is nothing to stop
}

// Start implements [Watcher] and [LeaderWatcher].
func (w *watcher[V, S]) Start(ctx context.Context) (<-chan *S, error) {
	c, op := w.watches.c, w.watches.op
	if w.invalid != nil {
		return nil, c.wrap(op, "", w.invalid) // without the name, which may be of any size
	}
	states, err := w.start(ctx)
	if err != nil {
		return nil, c.wrap(op, w.name, err)
	}
	return states, nil
}

// start joins the shared watch.
//
// The interleaving that mu forbids: ctx ends, or another goroutine calls Stop, after the watch was joined and before
// leave is known; Stop finds nothing to stop, and the watch lives for ever. As it is, Stop waits for start, which waits
// for nothing.
func (w *watcher[V, S]) start(ctx context.Context) (<-chan *S, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.used:
		return nil, ErrStarted
	case w.watches.c.life.Err() != nil:
		return nil, ErrClosed
	}
	unhook := context.AfterFunc(ctx, w.Stop) // no goroutine until ctx ends
	detach := func() { unhook() }
	states, leave, err := w.watches.join(w.name, detach)
	if err != nil {
		detach()
		return nil, err
	}
	w.used = true
	w.leave = func() { detach(); leave() }
	return states, nil
}

// Stop implements [Watcher] and [LeaderWatcher].
func (w *watcher[V, S]) Stop() {
	w.mu.Lock()
	w.used = true
	leave := w.leave
	w.leave = nil
	w.mu.Unlock()
	if leave != nil {
		leave()
	}
}
