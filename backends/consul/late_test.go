package consul

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// registry is what a stand-in holds of one service: an agent and servers in one.
type registry struct {
	*standIn

	mu      sync.Mutex
	index   uint64
	entries map[string]*api.ServiceEntry // by Consul's ID
	puts    []*api.AgentServiceRegistration
}

// newRegistry returns a stand-in that takes registrations of the service api, and of sessions.
func newRegistry(tb testing.TB) *registry {
	tb.Helper()
	r := &registry{standIn: newStandIn(tb), index: 10, entries: make(map[string]*api.ServiceEntry)}
	r.script("/v1/agent/service/register", r.register)
	r.script(path, func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		if waitIndex(q) >= r.index {
			r.mu.Unlock()
			<-q.Context().Done()
			return
		}
		defer r.mu.Unlock()
		all := make([]*api.ServiceEntry, 0, len(r.entries))
		for _, e := range r.entries {
			all = append(all, e)
		}
		answer(w, r.index, all)
	})
	return r
}

func (r *registry) register(_ http.ResponseWriter, q *http.Request) {
	var put api.AgentServiceRegistration
	if err := json.NewDecoder(q.Body).Decode(&put); err != nil || put.Name != "api" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.puts = append(r.puts, &put)
	r.store(put.ID, put.Meta)
}

// store puts a service in. It is called with mu held.
func (r *registry) store(id string, meta map[string]string) {
	r.index++
	r.entries[id] = &api.ServiceEntry{
		Node:    &api.Node{Node: "n0", Address: "10.0.0.1"},
		Service: &api.AgentService{ID: id, Service: "api", Meta: meta, CreateIndex: r.index, ModifyIndex: r.index},
	}
}

// removable has the stand-in remove a service when it is told to, and returns how often it was.
func (r *registry) removable(id string) func() int {
	at := "/v1/agent/service/deregister/" + id
	r.script(at, func(http.ResponseWriter, *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.index++
		delete(r.entries, id)
	})
	return func() int { return r.count(at) }
}

// known has the agent answer what it holds under an ID.
func (r *registry) known(id string) {
	r.script("/v1/agent/service/"+id, func(w http.ResponseWriter, _ *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if e := r.entries[id]; e != nil {
			answer(w, r.index, e.Service)
			return
		}
		http.Error(w, "unknown service ID", http.StatusNotFound)
	})
}

func instance(owner string, generation uint64) driver.Instance {
	return driver.Instance{
		Service: driver.Service{ID: "1", Name: "api", Address: "10.0.0.7"}, Owner: owner, Generation: generation,
	}
}

func open(tb testing.TB, b driver.Backend) driver.SessionID {
	tb.Helper()
	opened, err := b.OpenSession(tb.Context(), &driver.OpenSessionRequest{})
	if err != nil {
		tb.Fatal(err)
	}
	return opened.Session
}

// TestCloseSessionRemovesWhatMayHaveLanded has the answer to a registration be lost: the agent has it all the same, and
// the end of the session must not leave it behind, where it would pass for as long as the agent does not look.
func TestCloseSessionRemovesWhatMayHaveLanded(t *testing.T) {
	r := newRegistry(t)
	b := r.backend(t)
	session := open(t, b)
	id := serviceID("api", "1", "me")
	r.script("/v1/agent/service/register", func(w http.ResponseWriter, q *http.Request) {
		r.register(w, q)
		http.Error(w, "the answer was lost", http.StatusBadGateway)
	})
	_, err := b.Register(t.Context(), &driver.RegisterRequest{Session: session, Instance: instance("me", 1)})
	if !errors.Is(err, driver.ErrOutcomeUnknown) {
		t.Fatalf("Register: %v", err)
	}
	removed := r.removable(id)
	r.removable(helperID(session))
	r.script("/v1/agent/check/update/"+ttlCheckOf(session), func(http.ResponseWriter, *http.Request) {})
	if _, err := b.CloseSession(t.Context(), &driver.CloseSessionRequest{Session: session}); err != nil {
		t.Fatal(err)
	}
	if removed() != 1 {
		t.Errorf("the instance was removed %d times, want once", removed())
	}
}

// TestTakenBackMeanwhile has the owner that a registration displaces register again, before the displaced record is
// removed: what it has written since is not touched, or else both would remove each other's.
func TestTakenBackMeanwhile(t *testing.T) {
	for name, again := range map[string]bool{"taken back": true, "displaced": false} {
		t.Run(name, func(t *testing.T) {
			r := newRegistry(t)
			b := r.backend(t)
			session := open(t, b)
			other := serviceID("api", "1", "other")
			before, since := instance("other", 1), instance("other", 2)
			r.mu.Lock()
			r.store(other, makeMeta(&before, "session", 5))
			r.mu.Unlock()
			r.known(other)
			removed := r.removable(other)
			r.script("/v1/agent/service/register", func(w http.ResponseWriter, q *http.Request) {
				r.register(w, q)
				if again {
					r.mu.Lock()
					defer r.mu.Unlock()
					r.store(other, makeMeta(&since, "session", 100))
				}
			})
			out, err := b.Register(t.Context(), &driver.RegisterRequest{Session: session, Instance: instance("me", 1)})
			if err != nil || out.Displaced != "other" {
				t.Fatalf("Register: %+v, %v", out, err)
			}
			want := 1
			if again {
				want = 0
			}
			if removed() != want {
				t.Errorf("the other owner's record was removed %d times, want %d", removed(), want)
			}
		})
	}
}

// TestDeregisterUnconfirmed has the servers fail after the agent has removed the instance: that is not as if nothing had
// happened.
func TestDeregisterUnconfirmed(t *testing.T) {
	r := newRegistry(t)
	b := r.backend(t)
	session := open(t, b)
	id := serviceID("api", "1", "me")
	r.known(id)
	if _, err := b.Register(t.Context(), &driver.RegisterRequest{Session: session, Instance: instance("me", 1)}); err != nil {
		t.Fatal(err)
	}
	var failing atomic.Bool
	failing.Store(true)
	r.removable(id)
	r.script(path, func(w http.ResponseWriter, _ *http.Request) {
		if failing.Load() {
			http.Error(w, "No cluster leader", http.StatusInternalServerError)
			return
		}
		answer(w, 99, []*api.ServiceEntry{})
	})
	request := &driver.DeregisterRequest{Name: "api", ID: "1", Owner: "me", Generation: 1}
	if _, err := b.Deregister(t.Context(), request); !errors.Is(err, driver.ErrOutcomeUnknown) {
		t.Errorf("Deregister: %v, want that the outcome is unknown", err)
	}
	failing.Store(false)
	if _, err := b.Deregister(t.Context(), request); err != nil {
		t.Errorf("Deregister once more: %v", err)
	}
}
