package consul

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A standIn answers as a script says, where an agent of Consul would. What the script does not know it does not answer.
type standIn struct {
	*httptest.Server

	mu    sync.Mutex
	calls map[string]int // by path
	paths map[string]http.HandlerFunc
}

func newStandIn(tb testing.TB) *standIn {
	tb.Helper()
	s := &standIn{calls: make(map[string]int), paths: map[string]http.HandlerFunc{
		"/v1/status/leader": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`"10.0.0.1:8300"`)) },
	}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls[r.URL.Path]++
		answer := s.paths[r.URL.Path]
		s.mu.Unlock()
		if answer == nil {
			<-r.Context().Done()
			return
		}
		answer(w, r)
	}))
	tb.Cleanup(s.Close)
	return s
}

// script sets what is answered to requests for a path.
func (s *standIn) script(path string, answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[path] = answer
}

// count is how many requests for a path there were.
func (s *standIn) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

// backend connects to the stand-in.
func (s *standIn) backend(tb testing.TB, opts ...Option) driver.Backend {
	tb.Helper()
	transport := &http.Transport{}
	client, err := api.NewClient(&api.Config{Address: s.URL, Transport: transport})
	if err != nil {
		tb.Fatal(err)
	}
	b, err := NewBackend(client, append([]Option{
		WithTTLChecks(), WithTTL(time.Minute), WithOperationTimeout(time.Second), WithLogger(&testLog{tb: tb}),
	}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = b.Close()
		transport.CloseIdleConnections()
	})
	return b
}

// testLog passes on what a backend says while its test runs.
type testLog struct {
	mu sync.Mutex
	tb testing.TB
}

// Printf implements [reception.Logger].
func (l *testLog) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tb.Context().Err() == nil {
		l.tb.Logf(format, args...)
	}
}

var _ reception.Logger = (*testLog)(nil)

// answer writes what Consul answers to a read.
func answer(w http.ResponseWriter, index uint64, body any) {
	w.Header().Set("X-Consul-Index", strconv.FormatUint(index, 10))
	w.Header().Set("X-Consul-Knownleader", "true")
	w.Header().Set("X-Consul-Lastcontact", "0")
	_ = json.NewEncoder(w).Encode(body)
}

// entry is an instance as Consul shows it.
func entry(id string, index uint64) *api.ServiceEntry {
	const name = "api"
	i := &driver.Instance{Service: driver.Service{ID: id, Name: name}, Owner: "me", Generation: 1}
	return &api.ServiceEntry{
		Node: &api.Node{Node: "n0", Address: "10.0.0.1"},
		Service: &api.AgentService{
			ID: serviceID(name, id, "me"), Service: name, Address: "10.0.0.7", Port: int(index),
			Meta: makeMeta(i, "session", 1), CreateIndex: index, ModifyIndex: index,
		},
		Checks: api.HealthChecks{{CheckID: "serfHealth", Status: api.HealthPassing}},
	}
}

// waitIndex is the index that a request waits for news after.
func waitIndex(r *http.Request) uint64 {
	index, _ := strconv.ParseUint(r.URL.Query().Get("index"), 10, 64)
	return index
}

// eventually waits until a condition holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for deadline := time.After(10 * time.Second); !holds(); {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			tb.Fatalf("not within 10s: %s", what)
		}
	}
}

// present follows a stream and keeps what it shows.
func present(tb testing.TB, stream driver.InstanceStream) func() []string {
	tb.Helper()
	var mu sync.Mutex
	shown := make(map[string]int)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			batch, err := stream.Next(tb.Context())
			if err != nil {
				return
			}
			mu.Lock()
			if batch.Reset {
				clear(shown)
			}
			for _, c := range batch.Changes {
				if c.Deleted {
					delete(shown, c.Record.Service.ID)
				} else {
					shown[c.Record.Service.ID] = c.Record.Service.Port
				}
			}
			mu.Unlock()
		}
	}()
	tb.Cleanup(func() { stream.Close(); <-done })
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		var all []string
		for id, port := range shown {
			all = append(all, fmt.Sprintf("%s:%d", id, port))
		}
		return all
	}
}
