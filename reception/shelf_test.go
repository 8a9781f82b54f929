package reception_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// goodFor is how long a proof is good in the tests of lists that are served from a watch.
const goodFor = 4 * time.Second

// watched runs a test in virtual time with a client that watches "api" on a cluster whose streams prove that they are
// current.
func watched(t *testing.T, run func(s *reading)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster(fake.WithTTL(ttl), fake.WithHistory(10_000), fake.WithVouching(goodFor))
		s := &reading{T: t, Cluster: cluster, backend: cluster.Backend()}
		s.client = newClient(t, s.backend)
		s.other, s.base = newClient(t, cluster.Backend()), service("api", "0", 1)
		register(t, s.other, s.base)
		s.states = start(t, s.client.NewWatcher("api"))
		next(t, s.states)
		t.Cleanup(func() { s.backend.Thaw(); s.backend.Heal() })
		run(s)
	})
}

type reading struct {
	*testing.T
	*fake.Cluster
	backend       *fake.Backend
	client, other reception.Client
	base          *reception.Service // an instance that is always there
	states        <-chan *reception.ServiceState
}

// lists checks what a list shows beside the base, as id:port, and whether the backend was asked for it.
func (s *reading) lists(asks bool, want ...string) {
	s.Helper()
	want = append([]string{"0:1"}, want...)
	before := s.asked()
	services, err := s.client.ListServices(s.Context(), "api")
	if err != nil || !slices.Equal(ids(services), want) {
		s.Errorf("the list is %v, %v; want %v", ids(services), err, want)
	}
	if asked := s.asked() > before; asked != asks {
		s.Errorf("the backend was asked: %v, want %v", asked, asks)
	}
}

// asked counts the lists that the backend of the client was asked for.
func (s *reading) asked() int {
	n := 0
	for _, e := range s.History() {
		if e.Backend == s.backend.Label() && e.Operation == driver.OpListServices {
			n++
		}
	}
	return n
}

// stall has the stream of the service tell nothing for so long, without an error.
func (s *reading) stall(d time.Duration) {
	s.Helper()
	inject(s.T, s.backend, fake.Fault{Operation: "WatchService", Stage: fake.Next, Delay: d})
	register(s.T, s.other, s.base) // again, the same: the stream is waiting already, and stalls after one more change
	synctest.Wait()
}

func TestListFromWatch(t *testing.T) {
	watched(t, func(s *reading) {
		one := service("api", "1", 1)
		one.Attributes = reception.Attributes{"zone": "a"}
		register(s.T, s.other, one)
		synctest.Wait()
		s.lists(false, "1:1")
		listed, err := s.client.ListServices(s.Context(), "api")
		if err != nil || listed[1].Attributes["zone"] != "a" {
			s.Fatalf("got %+v, %v", listed, err)
		}
		listed[1].Port, listed[1].Attributes["zone"], listed[1] = 9, "changed", nil
		s.lists(false, "1:1")
		if again, _ := s.client.ListServices(s.Context(), "api"); again[1].Attributes["zone"] != "a" {
			s.Error("a change of what was returned shows in the next list")
		}
		for range 100 { // nothing happens, and every list is served
			time.Sleep(goodFor / 3)
			s.lists(false, "1:1")
		}
	})
}

// TestListWithoutWatch checks that nothing is kept of a watch that has ended.
func TestListWithoutWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster(fake.WithVouching(goodFor))
		client, _, other := pair(t, cluster)
		w := client.NewWatcher("api")
		next(t, start(t, w))
		w.Stop()
		synctest.Wait()
		register(t, other, service("api", "1", 1)) // unseen by any watch
		services, err := client.ListServices(t.Context(), "api")
		if err != nil || len(services) != 1 {
			t.Errorf("got %v, %v", ids(services), err)
		}
	})
}

// TestListAfterOwnWrite has the watch be behind each of the client's own writes.
func TestListAfterOwnWrite(t *testing.T) {
	watched(t, func(s *reading) {
		s.stall(goodFor / 4)
		register(s.T, s.client, service("api", "1", 1))
		s.lists(true, "1:1")
		time.Sleep(goodFor / 4)
		synctest.Wait()
		s.lists(false, "1:1") // the watch has passed the write

		s.stall(goodFor / 4)
		register(s.T, s.client, service("api", "1", 2))
		s.lists(true, "1:2")
		deregister(s.T, s.client, service("api", "1", 2))
		s.lists(true)
		time.Sleep(goodFor)
		synctest.Wait()
		s.lists(false) // it has proven since that it has
	})
}

// TestListOfSilentWatch has the watch hear nothing any more while everything else works.
func TestListOfSilentWatch(t *testing.T) {
	watched(t, func(s *reading) {
		s.stall(time.Hour)
		began := time.Now()
		register(s.T, s.other, service("api", "1", 1))
		for time.Since(began) <= goodFor {
			if services, _ := s.client.ListServices(s.Context(), "api"); len(services) == 2 {
				break
			}
			time.Sleep(goodFor / 100)
		}
		if took := time.Since(began); took > goodFor || took < goodFor/4 {
			s.Errorf("the list shows the change after %v", took)
		}
		for range 10 {
			s.lists(true, "1:1")
			time.Sleep(goodFor / 3)
		}
	})
}

// TestListInSilence has the connection swallow everything: what was known is served for as long as it was vouched for.
func TestListInSilence(t *testing.T) {
	watched(t, func(s *reading) {
		register(s.T, s.other, service("api", "1", 1))
		synctest.Wait()
		s.backend.Freeze()
		s.lists(false, "1:1")
		time.Sleep(goodFor)
		ctx, cancel := context.WithTimeout(s.Context(), time.Second)
		defer cancel()
		if services, err := s.client.ListServices(ctx, "api"); !errors.Is(err, context.DeadlineExceeded) || services != nil {
			s.Errorf("got %v, %v", ids(services), err)
		}
		s.backend.Thaw()
		time.Sleep(goodFor)
		synctest.Wait()
		s.lists(false, "1:1")
	})
}

// TestListInTrouble has the stream break: from then on there is nothing to rely on, whatever was proven before.
func TestListInTrouble(t *testing.T) {
	watched(t, func(s *reading) {
		register(s.T, s.other, service("api", "1", 1))
		synctest.Wait()
		s.lists(false, "1:1")
		s.backend.Cut()
		synctest.Wait()
		if services, err := s.client.ListServices(s.Context(), "api"); !errors.Is(err, reception.ErrUnavailable) || services != nil {
			s.Errorf("got %v, %v", ids(services), err)
		}
		deregister(s.T, s.other, service("api", "1", 1))
		s.backend.Heal()
		s.lists(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		s.lists(false)
	})
}

// TestListAfterEnd checks that calls that are to fail are not served.
func TestListAfterEnd(t *testing.T) {
	watched(t, func(s *reading) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		if _, err := s.client.ListServices(ctx, "api"); !errors.Is(err, context.Canceled) {
			s.Errorf("with a context that has ended: %v", err)
		}
		if err := s.client.Close(); err != nil {
			s.Error(err)
		}
		if _, err := s.client.ListServices(s.Context(), "api"); !errors.Is(err, reception.ErrClosed) {
			s.Errorf("after Close: %v", err)
		}
	})
}

// TestListFromLaggingWatch has the cluster show changes late: a watch is then never more current than that.
func TestListFromLaggingWatch(t *testing.T) {
	watched(t, func(s *reading) {
		s.SetPropagation(goodFor)
		time.Sleep(goodFor)
		synctest.Wait()
		s.lists(true)
	})
}

// TestListWithoutProof checks that a backend that proves nothing is asked for every list.
func TestListWithoutProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster(fake.WithHistory(100))
		client, _, other := pair(t, cluster)
		next(t, start(t, client.NewWatcher("api")))
		for i := range 5 {
			register(t, other, service("api", fmt.Sprint(i), 1))
			services, err := client.ListServices(t.Context(), "api")
			if err != nil || len(services) != i+1 {
				t.Errorf("got %v, %v", ids(services), err)
			}
		}
	})
}

// TestListStress has a client write and list at once, by the machine's clock: it must see each of its own writes.
func TestListStress(t *testing.T) {
	cluster := fake.NewCluster(fake.WithVouching(20 * time.Millisecond))
	client, backend, other := pair(t, cluster)
	states := start(t, client.NewWatcher("api"))
	go func() {
		for range states {
		}
	}()
	for i := range 2000 {
		mine := service("api", "mine", i)
		register(t, client, mine)
		got, err := client.ListServices(t.Context(), "api")
		if err != nil || !slices.Contains(ids(got), fmt.Sprintf("mine:%d", i)) {
			t.Fatalf("write %d: the list is %v, %v", i, ids(got), err)
		}
		switch i % 50 {
		case 10:
			register(t, other, service("api", "theirs", i))
		case 20:
			deregister(t, client, mine)
			if got, err := client.ListServices(t.Context(), "api"); err != nil || slices.Contains(ids(got), fmt.Sprintf("mine:%d", i)) {
				t.Fatalf("removal %d: the list is %v, %v", i, ids(got), err)
			}
		case 30:
			backend.Cut()
			backend.Heal()
		}
	}
}

func BenchmarkListFromWatch(b *testing.B) {
	for _, size := range []int{10, 1_000} {
		for _, attributes := range []reception.Attributes{nil, {"zone": "a", "version": "1.2.3"}} {
			b.Run(fmt.Sprintf("instances=%d/attributes=%d", size, len(attributes)), func(b *testing.B) {
				cluster := fake.NewCluster(fake.WithVouching(time.Hour))
				client, backend, _ := pair(b, cluster)
				for i := range size {
					s := service("api", fmt.Sprintf("i%d", i), 1)
					s.Attributes = attributes
					register(b, client, s)
				}
				next(b, start(b, client.NewWatcher("api")))
				backend.Freeze() // so that nothing but the watch can answer
				b.Cleanup(backend.Thaw)
				b.ReportAllocs()
				for b.Loop() {
					services, err := client.ListServices(context.Background(), "api")
					if err != nil || len(services) != size {
						b.Fatal(len(services), err)
					}
				}
			})
		}
	}
}
