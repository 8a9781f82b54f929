package hazards

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/go-reception/sdk/reception"
)

// NobodyReads is H7: a watcher's channel is not read while an instance is updated three hundred times. Nobody waits for it:
// another watcher of the same client is up to date, and its registration lives on. When it is read it has the latest
// state, as if there had been no other.
func NobodyReads(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	client, other := b.dial(t, server.Endpoints()), b.dialWith(t, server.Endpoints(), b.patient(t))
	unread, err := client.NewWatcher(name).Start(t.Context())
	OK(t, err)
	read, err := client.NewWatcher(name).Start(t.Context())
	OK(t, err)
	OK(t, client.Register(t.Context(), Service(name, "mine"), nil))
	const updates = 300
	for i := range updates {
		s := Service(name, "theirs")
		s.Port = i + 1
		OK(t, other.Register(t.Context(), s, nil))
	}
	latest := func(state *reception.ServiceState) bool {
		return len(state.Services) == 2 &&
			slices.ContainsFunc(state.Services, func(s *reception.Service) bool { return s.Port == updates })
	}
	await(t, read, "the last update", latest)
	if state := <-unread; !latest(state) || len(state.Added) != 2 {
		t.Errorf("the watcher that was not read holds %+v", state)
	}
	keepsSeeing(t, 2*b.TTL, other, name, "mine", "theirs")
}

// StartAndStop is H8: a hundred watchers of a name are one watch for the server, and it goes with the last of them. A
// thousand are started and stopped one after the other, half of them before they can have seen anything, and stopped once
// more. In the end there are as many goroutines, descriptors and watches of the server as before.
//
// It has the process for itself, so it is not parallel.
func StartAndStop(t *testing.T, b Backend) {
	t.Helper()
	server, name := b.Shared(t), ServiceName(t)
	client := b.dial(t, server.Endpoints())
	OK(t, client.Register(t.Context(), Service(name, "1"), nil))
	start := func() (reception.Watcher, <-chan *reception.ServiceState) {
		w := client.NewWatcher(name)
		states, err := w.Start(t.Context())
		OK(t, err)
		return w, states
	}
	cycle := func() {
		w, states := start()
		Healthy(t, states, "1")
		w.Stop()
		w.Stop()
	}
	too, err := client.NewWatcher(name + "-too").Start(t.Context()) // so that nothing ends with the last watch of a client
	OK(t, err)
	Healthy(t, too)
	before := b.quiet(t)
	const sharing, cycles = 100, 1000
	var watchers []reception.Watcher
	for range sharing {
		w, states := start()
		Healthy(t, states, "1")
		watchers = append(watchers, w)
	}
	b.watches(t, before.watches+1)
	for _, w := range watchers {
		w.Stop()
	}
	if !b.can(t, Unwatch) {
		before.watches++
	}
	b.watches(t, before.watches)
	for i := range cycles {
		if i%2 == 0 {
			w, _ := start()
			w.Stop()
			w.Stop()
			continue
		}
		cycle()
	}
	cycle() // which is after all that the others have asked the server for
	b.settles(t, before)
}

// A footprint is what watchers take.
type footprint struct{ goroutines, descriptors, watches int }

func (b Backend) footprint(tb testing.TB) footprint {
	tb.Helper()
	f := footprint{goroutines: runtime.NumGoroutine()}
	open, err := os.ReadDir("/dev/fd")
	OK(tb, err)
	f.descriptors = len(open)
	if _, lacks := b.Lacks[CountWatches]; !lacks {
		f.watches = b.Watches(tb, b.Shared(tb))
	}
	return f
}

// quiet waits until nothing comes or goes for a while.
func (b Backend) quiet(tb testing.TB) footprint {
	tb.Helper()
	const looks = 20
	var last footprint
	same := 0
	Eventually(tb, Step, func() string { return fmt.Sprintf("it is quiet; there are %+v", last) }, func() bool {
		now := b.footprint(tb)
		if same++; now != last {
			last, same = now, 0
		}
		return same == looks
	})
	return last
}

// watches waits until the server has so many watches.
func (b Backend) watches(tb testing.TB, want int) {
	tb.Helper()
	if !b.can(tb, CountWatches) {
		return
	}
	var got int
	Eventually(tb, Grace, func() string { return fmt.Sprintf("the server has %d watches, want %d", got, want) }, func() bool {
		got = b.Watches(tb, b.Shared(tb))
		return got == want
	})
}

// settles waits until everything is given back. A client may keep more connections for later than before, as far as Spare
// says; with the proxy, which is in this process, each of them is three descriptors, and two goroutines of the client's
// beside six of the proxy's.
func (b Backend) settles(tb testing.TB, before footprint) {
	tb.Helper()
	var now footprint
	Eventually(tb, Grace, func() string { return fmt.Sprintf("there are %+v, want %+v", now, before) }, func() bool {
		now = b.footprint(tb)
		goroutines, descriptors := 2, 1
		if spare := 3 * b.Spare; spare > 0 && now.descriptors == before.descriptors+spare {
			goroutines, descriptors = 8*b.Spare, spare
		}
		return now.goroutines <= before.goroutines+goroutines && now.descriptors <= before.descriptors+descriptors &&
			now.watches == before.watches
	})
}
