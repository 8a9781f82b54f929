package kernel

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// line is a scope of things a, b, c … on a session each.
type line struct {
	*world

	p        *Peer
	sessions map[string]string
	ended    chan turn
}

// turn is how a wait has ended.
type turn struct {
	key   string
	order uint64
	there bool
	err   error
}

// String leaves out what says nothing.
func (u turn) String() string {
	if u.err != nil {
		return fmt.Sprintf("%s: %v", u.key, u.err)
	}
	return fmt.Sprintf("%s: %d, %v", u.key, u.order, u.there)
}

func newLine(t *testing.T, keys ...string) *line {
	t.Helper()
	w := newWorld(t, Config{})
	l := &line{world: w, p: w.NewPeer("p"), sessions: map[string]string{}, ended: make(chan turn, 100)}
	for _, key := range keys {
		l.sessions[key] = w.open(l.p, 0)
		w.put(l.p, Create, l.sessions[key], thing{Scope: "s", Key: key, Owner: key})
	}
	return l
}

// await starts to wait and returns once it does, or is done.
func (l *line) await(ctx context.Context, key string) {
	go func() {
		u := turn{key: key}
		l.Run(Caller{Context: ctx, Peer: l.p, Line: wire{}}, func(tx *Tx) error {
			u.order, u.there, u.err = l.things.Await(tx, "s", key)
			return nil
		})
		l.ended <- u
	}()
	synctest.Wait()
}

// expect checks which waits have ended since the last time, one at the most for each step, and how many were woken.
func (l *line) expect(wakeUps uint64, want ...string) {
	l.tb.Helper()
	synctest.Wait()
	for _, w := range want {
		select {
		case got := <-l.ended:
			if got.String() != w {
				l.tb.Errorf("got %q, want %q", got, w)
			}
		default:
			l.tb.Errorf("still waiting for %q", w)
		}
	}
	select {
	case got := <-l.ended:
		l.tb.Errorf("got %q too", got)
	default:
	}
	if got := l.WakeUps(); got != wakeUps {
		l.tb.Errorf("%d were woken, want %d", got, wakeUps)
	}
}

func (l *line) remove(key string) {
	l.run(l.p, func(tx *Tx) { l.things.Delete(tx, "s", key, Anyone) })
}

// Each departure wakes the successor of the head, or nobody.
func TestDepartureWakesOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, "a", "b", "c", "d", "e")
		for _, key := range []string{"e", "d", "c", "b", "a"} {
			l.await(t.Context(), key)
		}
		l.expect(0, "a: 1, true")
		l.remove("a")
		l.expect(1, "b: 2, true")
		l.EndSession(l.sessions["b"])
		l.expect(2, "c: 3, true")
		l.remove("d") // not the head: its own wait ends, and no other
		l.expect(3, "d: 0, false")
		l.remove("c")
		l.expect(4, "e: 5, true")
		l.remove("e")
		l.expect(4)
	})
}

// Whatever happens to a record, or its queue, its wait ends when it concerns it, and not before.
func TestAwaitEnds(t *testing.T) {
	tests := map[string]struct {
		does    func(l *line, cancel func())
		want    []string
		wakeUps uint64
	}{
		"deleted":         {func(l *line, _ func()) { l.remove("b") }, []string{"b: 0, false"}, 1},
		"removed":         {func(l *line, _ func()) { l.Remove("thing", "s", "b") }, []string{"b: 0, false"}, 1},
		"session ended":   {func(l *line, _ func()) { l.EndSession(l.sessions["b"]) }, []string{"b: session expired"}, 1},
		"session expired": {func(*line, func()) { time.Sleep(10 * time.Second) }, []string{"b: session expired"}, 1},
		"wiped":           {func(l *line, _ func()) { l.Wipe() }, []string{"b: session expired"}, 1},
		"cancelled":       {func(_ *line, cancel func()) { cancel() }, []string{"b: context canceled"}, 0},
		"updated": {func(l *line, _ func()) {
			l.run(l.p, func(tx *Tx) { l.things.Update(tx, "s", "b", Anyone, func(t *thing) { t.Owner = "x" }) })
		}, nil, 0},
		"head taken over by itself": {func(l *line, _ func()) {
			l.put(l.p, TakeOver, l.sessions["a"], thing{Scope: "s", Key: "a", Owner: "a"})
		}, nil, 0},
		"head taken over by another, and so at the end": {func(l *line, _ func()) {
			l.put(l.p, TakeOver, l.sessions["a"], thing{Scope: "s", Key: "a", Owner: "x"})
		}, []string{"b: 2, true"}, 1},
		"taken over itself": {func(l *line, _ func()) {
			l.put(l.p, TakeOver, l.sessions["b"], thing{Scope: "s", Key: "b", Owner: "x"})
		}, nil, 0},
		"woken and passed over": {func(l *line, _ func()) {
			l.run(l.p, func(tx *Tx) { // in one go, so that b is not at the head when it looks
				for _, key := range []string{"a", "b"} {
					if _, err := l.things.Put(tx, thing{Scope: "s", Key: key, Owner: "x"}, TakeOver, l.sessions[key]); err != nil {
						t.Error(err)
					}
				}
			})
		}, nil, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, "a", "b", "c")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				l.await(ctx, "b")
				test.does(l, cancel)
				l.expect(test.wakeUps, test.want...)

				// Whoever has stopped waiting leaves nothing that could be woken.
				woken := l.WakeUps()
				cancel()
				synctest.Wait()
				l.Wipe()
				if got := l.WakeUps(); got != woken {
					t.Errorf("woke %d who do not wait", got-woken)
				}
			})
		})
	}
}

// Nobody waits who need not, and a failing wait is told from an answer.
func TestAwaitWithoutWaiting(t *testing.T) {
	l := newLine(t, "a", "b")
	l.run(l.p, func(tx *Tx) {
		if order, there, err := l.things.Await(tx, "s", "a"); order != 1 || !there || err != nil {
			t.Errorf("the head: %d, %v, %v", order, there, err)
		}
		for _, where := range [][2]string{{"s", "x"}, {"x", "a"}} {
			if _, there, err := l.things.Await(tx, where[0], where[1]); there || err != nil {
				t.Errorf("%v: %v, %v", where, there, err)
			}
		}
	})
	result := l.Run(Caller{Context: t.Context(), Peer: l.p, Line: impatient{}}, func(tx *Tx) error {
		_, _, err := l.things.Await(tx, "s", "b")
		return err
	})
	if !errors.Is(result.Err, errIdle) || !result.Interrupted || result.Wrote {
		t.Errorf("a wait that fails: %+v", result)
	}
}

// Two who wait for the same record are woken together.
func TestTwoAwaitOneTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, "a", "b")
		ctx, cancel := context.WithCancel(t.Context())
		l.await(t.Context(), "b")
		l.await(ctx, "b")
		l.await(t.Context(), "b")
		cancel()
		l.expect(0, "b: context canceled")
		l.remove("a")
		l.expect(2, "b: 2, true", "b: 2, true")
	})
}

// Between two rules others get through, and what they do is seen.
func TestStep(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	id := w.open(p, 0)
	broken := errors.New("broken")
	for _, fails := range []error{nil, broken} {
		caller := Caller{Context: t.Context(), Peer: p, Line: wire{}, Between: func() error {
			w.EndSession(id)
			return fails
		}}
		result := w.Run(caller, func(tx *Tx) error {
			if err := tx.Step(); err != nil {
				return err
			}
			if tx.Live(id) {
				t.Error("the session lives on")
			}
			return driver.ErrSessionExpired
		})
		if fails == nil && (result.Interrupted || !errors.Is(result.Err, driver.ErrSessionExpired)) {
			t.Errorf("got %+v", result)
		}
		if fails != nil && (!result.Interrupted || !errors.Is(result.Err, broken)) {
			t.Errorf("got %+v", result)
		}
	}
	w.run(p, func(tx *Tx) {
		if err := tx.Step(); err != nil {
			t.Errorf("with nothing between: %v", err)
		}
	})
}

// An operation that time has passed in reads the clock again, and sees what has expired meanwhile.
func TestTimePassesBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		p := w.NewPeer("p")
		id, short := w.open(p, 10*time.Second), w.open(p, 3*time.Second)
		caller := Caller{Context: t.Context(), Peer: p, Line: wire{}, Between: func() error {
			time.Sleep(3 * time.Second)
			return nil
		}}
		w.Run(caller, func(tx *Tx) error {
			if err := tx.Step(); err != nil {
				return err
			}
			if _, ok := tx.Renew(id); !ok || tx.Live(short) {
				t.Errorf("renewed: %v; the other session lives: %v", ok, tx.Live(short))
			}
			return nil
		})
		if left := w.Sessions()[0].Left; left != 10*time.Second {
			t.Errorf("after its renewal the session has %v left", left)
		}
	})
}

// A goroutine that is ended while an operation of its waits, as by t.FailNow in a hook, leaves the kernel usable.
func TestGoroutineEndsBetween(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		w.Run(Caller{Context: context.Background(), Peer: p, Between: func() error { panic("hook") }}, (*Tx).Step)
	}()
	<-done
	w.run(p, func(tx *Tx) { tx.Open(0) })
}
