package kernel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// show writes a batch as "reset +a -b @3".
func show(b *driver.Batch[thing]) string {
	s := ""
	if b.Reset {
		s = "reset "
	}
	for _, c := range b.Changes {
		sign := "+"
		if c.Deleted {
			sign = "-"
		}
		s += sign + c.Record.Key + c.Record.Owner + " "
	}
	return s + fmt.Sprintf("@%d", b.Cursor)
}

func (w *world) news(s driver.Stream[thing]) (news []string) {
	w.tb.Helper()
	for _, b := range drain(w.tb, s) {
		news = append(news, show(b))
	}
	return news
}

// streams opens one of each kind: for the scope s, its key a and its head.
func streams(w *world, p *Peer) (all, key, head driver.Stream[thing]) {
	w.tb.Helper()
	all = watch(w, p, func(tx *Tx) driver.Stream[thing] { return w.things.Watch(tx, "s") })
	key = watch(w, p, func(tx *Tx) driver.Stream[thing] { return w.things.WatchKey(tx, "s", "a") })
	head = watch(w, p, func(tx *Tx) driver.Stream[thing] { return w.things.WatchHead(tx, "s") })
	return all, key, head
}

// Each kind of stream tells of what it is about, and of nothing else.
func TestStreams(t *testing.T) {
	type news struct{ all, key, head []string }
	steps := []struct {
		name string
		do   func(w *world, p *Peer, session string)
		want news
	}{
		{
			"the first batch comes also when there is nothing", func(*world, *Peer, string) {},
			news{[]string{"reset @0"}, []string{"reset @0"}, []string{"reset @0"}},
		},
		{"nothing", func(*world, *Peer, string) {}, news{}},
		{
			"another scope", func(w *world, p *Peer, session string) {
				w.put(p, Create, session, thing{Scope: "t", Key: "a"})
			}, news{},
		},
		{
			"first of its scope", func(w *world, p *Peer, session string) {
				w.put(p, Create, session, thing{Scope: "s", Key: "b"})
			},
			news{all: []string{"+b @2"}, head: []string{"reset +b @2"}},
		},
		{
			"second", func(w *world, p *Peer, session string) {
				w.put(p, Create, session, thing{Scope: "s", Key: "a"})
			},
			news{all: []string{"+a @3"}, key: []string{"reset +a @3"}},
		},
		{
			"several at once", func(w *world, p *Peer, session string) {
				w.put(p, InPlace, session, thing{Scope: "s", Key: "a", Owner: "1"})
				w.put(p, InPlace, session, thing{Scope: "s", Key: "a", Owner: "2"})
				w.put(p, InPlace, session, thing{Scope: "s", Key: "b", Owner: "1"})
			},
			news{[]string{"+a1 +a2 +b1 @6"}, []string{"reset +a2 @6"}, []string{"reset +b1 @6"}},
		},
		{
			"taken over", func(w *world, p *Peer, session string) {
				w.put(p, TakeOver, session, thing{Scope: "s", Key: "b", Owner: "9"})
			},
			news{[]string{"+b9 @7"}, nil, []string{"reset +a2 @7"}},
		},
		{
			"deleted", func(w *world, p *Peer, _ string) {
				w.run(p, func(tx *Tx) { w.things.Delete(tx, "s", "a", Anyone) })
			},
			news{[]string{"-a2 @8"}, []string{"reset @8"}, []string{"reset +b9 @8"}},
		},
		{
			"come and gone", func(w *world, p *Peer, session string) {
				w.put(p, Create, session, thing{Scope: "s", Key: "a", Owner: "3"})
				w.run(p, func(tx *Tx) { w.things.Delete(tx, "s", "a", Anyone) })
			},
			news{all: []string{"+a3 -a3 @10"}},
		},
		{
			"session ended", func(w *world, _ *Peer, session string) { w.EndSession(session) },
			news{all: []string{"-b9 @12"}, head: []string{"reset @12"}},
		},
	}
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	all, key, head := streams(w, p)
	session := w.open(p, time.Hour)
	for _, step := range steps {
		step.do(w, p, session)
		for stream, want := range map[driver.Stream[thing]][]string{
			all: step.want.all, key: step.want.key, head: step.want.head,
		} {
			if got := w.news(stream); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", step.name, got, want)
			}
		}
	}
	allToo, _, _ := streams(w, p)
	if got := w.news(allToo); !slices.Equal(got, []string{"reset @12"}) {
		t.Errorf("a late stream begins with %q", got)
	}
}

// A stream that is opened on what is there gets it in the order of creation, and nothing that happened between its
// opening and the first batch twice.
func TestStreamBeginsWithThePresent(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.NewPeer("p")
	session := w.open(p, 0)
	w.put(p, Create, session, thing{Scope: "s", Key: "z"})
	w.put(p, Create, session, thing{Scope: "s", Key: "a"})
	all, key, head := streams(w, p)
	w.put(p, Create, session, thing{Scope: "s", Key: "m"})
	for stream, want := range map[driver.Stream[thing]]string{
		all: "reset +z +a +m @3", key: "reset +a @3", head: "reset +z @3",
	} {
		if got := w.news(stream); !slices.Equal(got, []string{want}) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Streams that have fallen behind the log, and only they, begin anew; a wipe makes all begin anew.
func TestStreamsBeginAnew(t *testing.T) {
	tests := map[string]struct {
		do             func(w *world)
		lagging, ready string // news of a stream that lags by three changes, and of one that has read them
	}{
		"nothing":   {func(*world) {}, "+b +c +d @4", ""},
		"compacted": {func(w *world) { w.Compact() }, "reset +a +b +c +d @4", ""},
		"wiped":     {func(w *world) { w.Wipe() }, "reset @0", "reset @0"},
		"wiped and filled": {
			func(w *world) {
				w.Wipe()
				p := w.NewPeer("q")
				w.put(p, Create, w.open(p, 0), thing{Scope: "s", Key: "e"})
			}, "reset +e @1", "reset +e @1",
		},
		"overtaken": {
			func(w *world) {
				w.run(w.NewPeer("q"), func(tx *Tx) {
					for _, key := range []string{"a", "b", "c"} {
						w.things.Update(tx, "s", key, Anyone, func(r *thing) { r.Owner = "!" })
					}
				})
			}, "reset +a! +b! +c! +d @7", "+a! +b! +c! @7",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Log: 5})
			p := w.NewPeer("p")
			session := w.open(p, 0)
			w.put(p, Create, session, thing{Scope: "s", Key: "a"})
			lagging, _, _ := streams(w, p)
			ready, _, _ := streams(w, p)
			w.news(lagging)
			for _, key := range []string{"b", "c", "d"} {
				w.put(p, Create, session, thing{Scope: "s", Key: key})
			}
			w.news(ready)
			test.do(w)
			for stream, want := range map[driver.Stream[thing]]string{lagging: test.lagging, ready: test.ready} {
				got := w.news(stream)
				if want == "" && got != nil || want != "" && !slices.Equal(got, []string{want}) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// A reader that does not read costs the log, which is bounded, and no more than that.
func TestSlowReader(t *testing.T) {
	w := newWorld(t, Config{Log: 50})
	p := w.NewPeer("p")
	session := w.open(p, 0)
	all, key, head := streams(w, p)
	w.news(all)
	for n := range 10_000 {
		w.put(p, InPlace, session, thing{Scope: "s", Key: "a", Owner: fmt.Sprint(n)})
	}
	if n := len(w.things.scopes["s"].log.ring); n != 50 {
		t.Errorf("the log holds %d changes", n)
	}
	for _, s := range []driver.Stream[thing]{all, key, head} {
		if got := w.news(s); !slices.Equal(got, []string{"reset +a9999 @10000"}) {
			t.Errorf("got %q", got)
		}
	}
	all.Close()
	w.put(p, InPlace, session, thing{Scope: "s", Key: "a"})
	if w.things.scopes["s"].log.ring != nil {
		t.Error("the log is kept for nobody")
	}
}

// Close ends a Next that waits, and those to come; a context ends one without loss.
func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		p := w.NewPeer("p")
		var s driver.Stream[thing]
		w.Run(Caller{Context: t.Context(), Peer: p, Line: wire{}}, func(tx *Tx) error {
			s = w.things.Watch(tx, "s")
			return nil
		})
		if _, err := s.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the end of its context Next returns %v", err)
		}
		w.put(p, Create, w.open(p, 0), thing{Scope: "s", Key: "a"})
		if b, err := s.Next(t.Context()); err != nil || show(b) != "+a @1" {
			t.Errorf("then it returns %v, %v", b, err)
		}
		time.AfterFunc(time.Second, s.Close)
		for range 2 {
			if _, err := s.Next(t.Context()); !errors.Is(err, driver.ErrClosed) {
				t.Errorf("after Close, Next returns %v", err)
			}
		}
		s.Close()
		w.Wipe()
		if len(w.things.scopes) != 0 {
			t.Error("the scope is not forgotten")
		}
	})
}

// What happens wakes the streams that it concerns, and no others.
func TestWhoIsWoken(t *testing.T) {
	const all, key, head = 1, 2, 4
	tests := []struct {
		name string
		do   func(w *world, p *Peer, session string)
		want int
	}{
		{"first record", func(w *world, p *Peer, session string) {
			w.put(p, Create, session, thing{Scope: "s", Key: "b"})
		}, all | head},
		{"the key", func(w *world, p *Peer, session string) {
			w.put(p, Create, session, thing{Scope: "s", Key: "a"})
		}, all | key},
		{"the key again", func(w *world, p *Peer, session string) {
			w.put(p, InPlace, session, thing{Scope: "s", Key: "a"})
		}, all | key},
		{"the head again", func(w *world, p *Peer, session string) {
			w.put(p, InPlace, session, thing{Scope: "s", Key: "b"})
		}, all | head},
		{"neither", func(w *world, p *Peer, session string) {
			w.put(p, Create, session, thing{Scope: "s", Key: "c"})
		}, all},
		{"the head taken over", func(w *world, p *Peer, session string) {
			w.put(p, TakeOver, session, thing{Scope: "s", Key: "b", Owner: "x"})
		}, all | head},
		{"the head and the key", func(w *world, p *Peer, _ string) {
			w.run(p, func(tx *Tx) { w.things.Delete(tx, "s", "a", Anyone) })
		}, all | key | head},
		{"another scope", func(w *world, p *Peer, session string) {
			w.put(p, Create, session, thing{Scope: "t", Key: "a"})
		}, 0},
		{"the end of the session", func(w *world, _ *Peer, session string) { w.EndSession(session) }, all | head},
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		p := w.NewPeer("p")
		var news [5]atomic.Int64
		follow := func(kind int, open func(tx *Tx) driver.Stream[thing]) {
			var s driver.Stream[thing]
			w.Run(Caller{Context: t.Context(), Peer: p, Line: wire{}}, func(tx *Tx) error {
				s = open(tx)
				return nil
			})
			go func() {
				defer s.Close()
				for _, err := s.Next(t.Context()); err == nil; _, err = s.Next(t.Context()) {
					news[kind].Add(1)
				}
			}()
		}
		follow(all, func(tx *Tx) driver.Stream[thing] { return w.things.Watch(tx, "s") })
		follow(key, func(tx *Tx) driver.Stream[thing] { return w.things.WatchKey(tx, "s", "a") })
		follow(head, func(tx *Tx) driver.Stream[thing] { return w.things.WatchHead(tx, "s") })
		session := w.open(p, time.Hour)
		for _, test := range tests {
			synctest.Wait()
			for kind := range news {
				news[kind].Store(0)
			}
			test.do(w, p, session)
			synctest.Wait()
			for _, kind := range []int{all, key, head} {
				if got, want := news[kind].Load() > 0, test.want&kind != 0; got != want {
					t.Errorf("%s: stream %d has got something: %v", test.name, kind, got)
				}
			}
		}
	})
}

// Every stream that waits is woken by a change, and no scope's by another's.
func TestTenThousandStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10_000
		w := newWorld(t, Config{})
		p := w.NewPeer("p")
		session := w.open(p, time.Hour)
		got := make(chan string, n)
		for range n {
			var s driver.Stream[thing]
			w.Run(Caller{Context: t.Context(), Peer: p, Line: wire{}}, func(tx *Tx) error {
				s = w.things.Watch(tx, "s")
				return nil
			})
			go func() {
				defer s.Close()
				for range 2 {
					b, err := s.Next(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					got <- show(b)
				}
			}()
		}
		collect := func(want string) {
			t.Helper()
			synctest.Wait()
			if len(got) != n {
				t.Fatalf("%d streams have delivered", len(got))
			}
			for range n {
				if b := <-got; b != want {
					t.Fatalf("delivered %q, want %q", b, want)
				}
			}
		}
		collect("reset @0")
		w.put(p, Create, session, thing{Scope: "t", Key: "a"})
		synctest.Wait()
		if len(got) != 0 {
			t.Errorf("%d streams were told of another scope's change", len(got))
		}
		w.put(p, Create, session, thing{Scope: "s", Key: "a"})
		collect("+a @2")
	})
}
