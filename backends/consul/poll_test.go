package consul

import (
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

const path = "/v1/health/service/api"

// watch opens a stream of the service that the stand-in is asked about.
func watch(tb testing.TB, s *standIn) func() []string {
	tb.Helper()
	stream, err := s.backend(tb).OpenWatchService(tb.Context(), &driver.WatchServiceRequest{Name: "api"})
	if err != nil {
		tb.Fatal(err)
	}
	return present(tb, stream)
}

// H16: servers, or what is in between, that do not keep to the rules of blocking queries. None of it may make
// a hot loop, lose an update, or look like an empty list.

func TestH16InstantReplies(t *testing.T) {
	// Every reply comes at once and brings nothing new: the first ones are followed up, then there is a pause after each.
	for name, index := range map[string]func(call uint64) uint64{
		"the same index": func(uint64) uint64 { return 7 },
		"a higher index": func(call uint64) uint64 { return 7 + call },
		"index 0":        func(uint64) uint64 { return 0 },
		"it goes back":   func(call uint64) uint64 { return 1000 - call%500 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			var call atomic.Uint64
			s.script(path, func(w http.ResponseWriter, _ *http.Request) {
				answer(w, index(call.Add(1)), []*api.ServiceEntry{entry("1", 7)})
			})
			shown := watch(t, s)
			eventually(t, "the instance shows", func() bool { return slices.Equal(shown(), []string{"1:7"}) })
			const during = 2 * time.Second
			time.Sleep(during)
			if n, most := s.count(path), 2+fruitlessBurst+int(during/fruitlessPause)+1; n > most {
				t.Errorf("%d requests in %v, want at most %d", n, during, most)
			}
			if got := shown(); !slices.Equal(got, []string{"1:7"}) {
				t.Errorf("replies without news have made %q of it", got)
			}
		})
	}
}

func TestH16IndexGoesBack(t *testing.T) {
	// The servers have lost their data, and begin anew below: the watch begins anew with them, and misses nothing.
	s := newStandIn(t)
	var life atomic.Uint64
	s.script(path, func(w http.ResponseWriter, r *http.Request) {
		switch waits := waitIndex(r); {
		case life.Load() == 0 && waits < 1000:
			answer(w, 1000, []*api.ServiceEntry{entry("before", 1000)})
		case life.Load() == 0:
			time.Sleep(20 * time.Millisecond) // a short poll, so that the test need not wait for a long one
			answer(w, 1000, []*api.ServiceEntry{entry("before", 1000)})
		case waits < 5:
			answer(w, 5, []*api.ServiceEntry{entry("after", 5)})
		case waits == 5:
			answer(w, 6, []*api.ServiceEntry{entry("after", 6)})
		case waits > 6: // a server holds what waits for an index that is far away
			time.Sleep(20 * time.Millisecond)
			answer(w, 6, []*api.ServiceEntry{entry("after", 6)})
		default:
			<-r.Context().Done()
		}
	})
	shown := watch(t, s)
	eventually(t, "what was before shows", func() bool { return slices.Equal(shown(), []string{"before:1000"}) })
	life.Store(1)
	eventually(t, "what came after shows", func() bool { return slices.Equal(shown(), []string{"after:6"}) })
}

func TestH16UpdatesAreNotMissed(t *testing.T) {
	// A server that bundles changes, and says nothing in between.
	s := newStandIn(t)
	s.script(path, func(w http.ResponseWriter, r *http.Request) {
		waits := waitIndex(r)
		if waits >= 200 {
			<-r.Context().Done()
			return
		}
		answer(w, waits+1, []*api.ServiceEntry{entry("1", waits+1)})
	})
	shown := watch(t, s)
	start := time.Now()
	eventually(t, "the last one shows", func() bool { return slices.Equal(shown(), []string{"1:200"}) })
	t.Logf("200 changes took %v", time.Since(start))
}

func TestH16Refusals(t *testing.T) {
	// An error is one to the reader of the stream, whoever it comes from, and never an empty list.
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"429": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Your IP is issuing too many concurrent connections", http.StatusTooManyRequests)
		}, driver.ErrUnavailable},
		"500": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "No cluster leader", http.StatusInternalServerError)
		}, driver.ErrUnavailable},
		"403": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Permission denied: token lacks permission", http.StatusForbidden)
		}, driver.ErrPermission},
		"a token that is unknown": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "rpc error making call: ACL not found", http.StatusInternalServerError)
		}, driver.ErrPermission},
		"filtered to nothing": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Consul-Results-Filtered-By-Acls", "true")
			answer(w, 9, []*api.ServiceEntry{})
		}, driver.ErrPermission},
		"no JSON": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, driver.ErrUnavailable},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("[{"))
		}, driver.ErrUnavailable},
		"silence": {nil, driver.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			if test.answer != nil {
				s.script(path, test.answer)
			}
			b := s.backend(t)
			_, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "api"})
			if !errors.Is(err, test.want) {
				t.Errorf("the watch: %v, want %v", err, test.want)
			}
			list, err := b.ListServices(t.Context(), &driver.ListServicesRequest{Name: "api"})
			if !errors.Is(err, test.want) || list != nil {
				t.Errorf("the list: %v, %v, want %v", list, err, test.want)
			}
		})
	}
}

func TestH16BreaksInTheMiddle(t *testing.T) {
	// A question that is held is answered with an error: the stream has shown what there was, and then breaks.
	s := newStandIn(t)
	s.script(path, func(w http.ResponseWriter, r *http.Request) {
		if waitIndex(r) > 0 {
			http.Error(w, "rpc error making call: No cluster leader", http.StatusInternalServerError)
			return
		}
		answer(w, 7, []*api.ServiceEntry{entry("1", 7)})
	})
	stream, err := s.backend(t).OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if batch, err := stream.Next(t.Context()); err != nil || len(batch.Changes) != 1 || !batch.Reset {
		t.Fatalf("the first batch: %+v, %v", batch, err)
	}
	if batch, err := stream.Next(t.Context()); !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("the second batch: %+v, %v", batch, err)
	}
}

func TestH16OutlastsTheServersJitter(t *testing.T) {
	// A server may hold a question for a sixteenth longer than it was asked to. The client must not give up before that.
	s := newStandIn(t)
	waits := make(chan time.Duration, 1)
	s.script(path, func(w http.ResponseWriter, r *http.Request) {
		if waitIndex(r) == 0 {
			answer(w, 7, []*api.ServiceEntry{})
			return
		}
		wait, err := time.ParseDuration(r.URL.Query().Get("wait"))
		if err != nil {
			t.Errorf("wait: %v", err)
		}
		waits <- wait
		<-r.Context().Done()
	})
	watch(t, s)
	if wait := <-waits; wait > longPoll || wait < longPoll*3/4 {
		t.Errorf("a server is to wait for %v", wait)
	}
}

func TestH16Following(t *testing.T) {
	for _, test := range []struct{ before, now, want uint64 }{
		{0, 0, 1}, {0, 7, 7}, {7, 7, 7}, {7, 8, 8}, {8, 7, 0}, {7, 0, 0}, {1, 0, 0},
	} {
		if got := following(test.before, test.now); got != test.want {
			t.Errorf("after %d and %d the next index is %d, want %d", test.before, test.now, got, test.want)
		}
	}
}

func TestDeafWatchIsTold(t *testing.T) {
	// The question is held, as it should be, and then the servers have no leader any more: the pulse finds out.
	s := newStandIn(t)
	var lost atomic.Bool
	s.script("/v1/status/leader", func(w http.ResponseWriter, _ *http.Request) {
		leader := `"10.0.0.1:8300"`
		if lost.Load() {
			leader = `""`
		}
		_, _ = w.Write([]byte(leader))
	})
	s.script(path, func(w http.ResponseWriter, r *http.Request) {
		if waitIndex(r) > 0 {
			<-r.Context().Done()
			return
		}
		answer(w, 7, []*api.ServiceEntry{})
	})
	stream, err := s.backend(t, WithTTL(time.Second)).OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	broken := make(chan error, 1)
	go func() {
		_, err := stream.Next(t.Context())
		broken <- err
	}()
	eventually(t, "the pulse is felt while all is well", func() bool { return s.count("/v1/status/leader") > 1 })
	lost.Store(true)
	if err := <-broken; !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("the watch: %v", err)
	}
}
