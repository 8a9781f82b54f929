package reception

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

// A step is how the fanouts of these tests tell a reader what is new. From is 0 for the first one.
type step struct{ from, to int }

// renderStep tells of every value that is not the one seen.
func renderStep(seen, now *int) *step {
	switch {
	case seen == nil:
		return &step{to: *now}
	case *seen == *now:
		return nil
	}
	return &step{*seen, *now}
}

func newSteps() *fanout[int, step] { return &fanout[int, step]{render: renderStep} }

func (f *fanout[V, S]) publishValue(value V) { f.publish(&value) }

// fetch returns what is in the reader's slot; the zero step if nothing is.
func fetch(r *reader[int, step]) step {
	select {
	case s := <-r.slot:
		return *s
	default:
		return step{}
	}
}

// TestFanoutEverySequence plays every sequence of seven moves, each a publishing of one of three values or a fetch, and
// holds each fetch to the contract in its shortest form: if the newest value is not the one this reader saw last, there
// is a state, and it leads from the one to the other; otherwise there is none.
func TestFanoutEverySequence(t *testing.T) {
	const values, moves = 3, 7
	play := func(sequence int) error {
		f := newSteps()
		r := f.join(func() {})
		seen, now, trace := 0, 0, ""
		for range moves {
			move := sequence % (values + 1)
			sequence /= values + 1
			if move > 0 {
				now = move
				trace += fmt.Sprintf(" publish %d", now)
				f.publishValue(now)
				continue
			}
			var want step
			if seen != now {
				want = step{seen, now}
			}
			got := fetch(r)
			trace += fmt.Sprintf(" fetch %v", got)
			if got != want {
				return fmt.Errorf("%s: the last fetch gave %v, want %v", trace, got, want)
			}
			seen = now
		}
		return nil
	}
	sequences := 1
	for range moves {
		sequences *= values + 1
	}
	for sequence := range sequences {
		if err := play(sequence); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFanoutSharesStates(t *testing.T) {
	f := newSteps()
	slow, quick, other := f.join(func() {}), f.join(func() {}), f.join(func() {})
	f.publishValue(1)
	<-quick.slot
	<-other.slot
	f.publishValue(2)
	late := f.join(func() {})
	first, second, newcomer, behind := <-quick.slot, <-other.slot, <-late.slot, <-slow.slot
	if first != second {
		t.Error("two readers that stood at one place got states of their own")
	}
	if newcomer != behind {
		t.Error("a newcomer and a reader that has seen nothing yet got states of their own")
	}
	if *first != (step{1, 2}) || *newcomer != (step{0, 2}) {
		t.Errorf("got %v and %v, want {1 2} and {0 2}", *first, *newcomer)
	}
}

func TestFanoutNewcomer(t *testing.T) {
	f := newSteps()
	early := f.join(func() {})
	if got := fetch(early); got != (step{}) {
		t.Errorf("got %v before anything was published", got)
	}
	f.publishValue(7)
	late := f.join(func() {})
	if got := fetch(late); got != (step{0, 7}) {
		t.Errorf("a newcomer got %v, want the present value", got)
	}
}

func TestFanoutLeave(t *testing.T) {
	f := newSteps()
	var readers []*reader[int, step]
	for range 5 {
		readers = append(readers, f.join(func() { t.Error("detached a reader that left by itself") }))
	}
	f.publishValue(1)
	for i, leaving := range []int{1, 4, 0, 3} { // from the middle, the end and the beginning
		if f.leave(readers[leaving]) {
			t.Errorf("leave %d says that nobody is left", i)
		}
		if state, open := <-readers[leaving].slot; open {
			t.Errorf("after leaving, reader %d got %v", leaving, *state)
		}
		if f.leave(readers[leaving]) {
			t.Errorf("leave %d, again, says that nobody is left", i)
		}
	}
	f.publishValue(2)
	if got := fetch(readers[2]); got != (step{0, 2}) {
		t.Errorf("the one who stayed got %v", got)
	}
	if !f.leave(readers[2]) {
		t.Error("leave of the last one says that somebody is left")
	}
}

func TestFanoutEnd(t *testing.T) {
	f := newSteps()
	detached := 0
	gone := f.join(func() { t.Error("detached a reader that left by itself") })
	r := f.join(func() { detached++ })
	f.publishValue(1)
	f.leave(gone)
	f.end()
	if _, open := <-r.slot; open {
		t.Error("the channel is open after the end, or has a state in it")
	}
	if detached != 1 {
		t.Errorf("detached %d times, want once", detached)
	}
	f.leave(r)
	f.publishValue(2) // an upstream that has not noticed yet
	f.end()
}

// TestFanoutConcurrently has readers that come, go, fetch quickly and slowly, while values are published. It is what
// shows the interleavings that the comments name, if mu does not forbid them: a send on a closed channel, an old value
// after a newer one, a newcomer that stays behind.
func TestFanoutConcurrently(t *testing.T) {
	const last, readers = 3000, 16
	f := newSteps()
	var wg sync.WaitGroup
	for n := range readers {
		wg.Go(func() {
			for seen := 0; seen < last; {
				r := f.join(func() {})
				stay := rand.IntN(40)
				seen = 0
				for i := 0; seen < last && (i < stay || n == 0); i++ {
					s := <-r.slot
					if s.from != seen || s.to <= s.from {
						t.Errorf("reader %d stood at %d and got %v", n, seen, *s)
						return
					}
					seen = s.to
					if n%2 == 0 {
						runtime.Gosched()
					}
				}
				f.leave(r)
			}
		})
	}
	for value := 1; value <= last; value++ {
		f.publishValue(value)
		if value%7 == 0 {
			runtime.Gosched()
		}
	}
	wg.Wait()
}

func BenchmarkFanout(b *testing.B) {
	for _, readers := range []int{1, 1_000, 10_000} {
		b.Run(fmt.Sprintf("readers=%d", readers), func(b *testing.B) {
			for _, pace := range []string{"quick", "slow"} {
				b.Run(pace, func(b *testing.B) { benchmarkFanout(b, readers, pace == "slow") })
			}
		})
	}
}

// benchmarkFanout publishes b.N values to readers that fetch each, or none.
func benchmarkFanout(b *testing.B, readers int, slow bool) {
	b.Helper()
	f := newSteps()
	all := make([]*reader[int, step], readers)
	for i := range all {
		all[i] = f.join(func() {})
	}
	b.ReportAllocs()
	value := 0
	for b.Loop() {
		value++
		f.publishValue(value)
		if slow {
			continue
		}
		b.StopTimer()
		for _, r := range all {
			<-r.slot
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(readers), "ns/reader")
}
