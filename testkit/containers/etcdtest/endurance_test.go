package etcdtest

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// TestH5Churn: every connection of a reader is reset fifty times while instances come and go. It ends up with what the
// servers have, and never sees the instance missing that is always there.
func TestH5Churn(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	writer, reader := dial(t, server.Endpoints()), dial(t, link.Endpoints())
	ok(t, writer.Register(t.Context(), service("api", "stays"), nil))
	states, err := reader.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "stays")
	for i := range 50 {
		undo := link.Reset(t)
		id := fmt.Sprint(i % 7)
		if i%3 == 0 {
			_ = writer.Deregister(t.Context(), service("api", id)) // it may not be there
		} else {
			ok(t, writer.Register(t.Context(), service("api", id), nil))
		}
		undo()
		for len(states) > 0 {
			state := <-states
			if !slices.ContainsFunc(state.Services, func(s *reception.Service) bool { return s.ID == "stays" }) {
				t.Fatalf("after %d resets: %+v", i, state)
			}
		}
	}
	want, err := ids(t.Context(), writer, "api")
	ok(t, err)
	healthy(t, states, want...)
}

// TestH15TokensGrow: each term's token is greater than that of the one before, also when nobody is left in between and
// the server restarts.
func TestH15TokensGrow(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t)
	clients := []reception.Client{dial(t, server.Endpoints()), dial(t, server.Endpoints())}
	var last uint64
	for i := range 1000 {
		if i == 500 {
			start := server.Node(0).Stop(t)
			start()
			server.AwaitReady(t)
		}
		term, err := clients[i%2].Campaign(t.Context(), "e", service("api", "1"))
		ok(t, err)
		if term.Token() <= last {
			t.Fatalf("token %d follows %d", term.Token(), last)
		}
		last = term.Token()
		ok(t, term.Resign(t.Context()))
	}
}

// TestH8OneWatchForAll counts the server's watches: a hundred watchers of a name are one, and it goes with the last of them.
func TestH8OneWatchForAll(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t)
	client := dial(t, server.Endpoints())
	watches := func() int { return metric(t, server, "etcd_debugging_mvcc_watcher_total") }
	settles := func(want int) {
		t.Helper()
		var got int
		eventually(t, 10*grace, func() string { return fmt.Sprintf("the server has %d watches, want %d", got, want) }, func() bool {
			got = watches()
			return got == want
		})
	}
	settles(0)
	var watchers []reception.Watcher
	for range 100 {
		w := client.NewWatcher("api")
		_, err := w.Start(t.Context())
		ok(t, err)
		watchers = append(watchers, w)
	}
	settles(1)
	for _, w := range watchers {
		w.Stop()
	}
	settles(0)
	for range 1000 {
		w := client.NewWatcher("api")
		_, err := w.Start(t.Context())
		ok(t, err)
		w.Stop()
	}
	settles(0)
}

// metric reads one of the server's figures.
func metric(tb testing.TB, server *containers.EtcdCluster, name string) int {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, server.URLs()[0]+"/metrics", http.NoBody)
	ok(tb, err)
	response, err := http.DefaultClient.Do(request)
	ok(tb, err)
	defer func() { _ = response.Body.Close() }() // it was read to its end
	text, err := io.ReadAll(response.Body)
	ok(tb, err)
	found := regexp.MustCompile(`(?m)^` + name + ` (\d+)$`).FindSubmatch(text)
	if found == nil {
		tb.Fatalf("the server does not tell %s", name)
	}
	figure, err := strconv.Atoi(string(found[1]))
	ok(tb, err)
	return figure
}
