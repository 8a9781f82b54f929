package differential

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A side is the clients of one backend, and what they have. Names stand for services and elections alike.
type side struct {
	t        *testing.T
	cluster  *Cluster
	backends []driver.Backend
	clients  []reception.Client
	told     map[post]chan error // by the latest registration of each
	calls    []chan error        // of all registrations
	watches  map[post]*watch[reception.ServiceState]
	views    map[post]*watch[reception.LeaderState]
	terms    map[post]reception.Term
	electors map[post]reception.Elector
	tokens   map[string]uint64 // the latest of each election
}

// A post is what a client has by a name, and an ID where it takes one.
type post struct {
	client   int
	name, id string
}

// A watch is a watcher's channel and what came of it last.
type watch[S any] struct {
	states <-chan *S
	last   *S
}

func newSide(t *testing.T, c *Cluster) *side {
	t.Helper()
	s := &side{
		t: t, cluster: c, told: map[post]chan error{}, watches: map[post]*watch[reception.ServiceState]{},
		views: map[post]*watch[reception.LeaderState]{}, terms: map[post]reception.Term{},
		electors: map[post]reception.Elector{}, tokens: map[string]uint64{},
	}
	for range clients {
		backend := c.Connect()
		s.backends = append(s.backends, backend)
		s.clients = append(s.clients, reception.NewClient(backend, reception.WithBackoff(100*time.Millisecond, time.Second)))
	}
	return s
}

func (s *side) close() {
	for _, c := range s.clients {
		if err := c.Close(); err != nil {
			s.t.Errorf("Close: %v", err)
		}
	}
}

// service makes an instance.
func service(name, id string) *reception.Service {
	return &reception.Service{ID: id, Name: name, Address: "192.0.2.1", Port: 80}
}

// play carries out a step and returns what its client sees, in words that are the same on all backends.
func (s *side) play(st act) string {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	switch st.verb {
	case "register", "displace", "deregister", "list", "names", "watch":
		return s.discover(ctx, st)
	case "campaign", "succeed", "leader", "resign", "verify", "observe", "elect", "cancel", "led":
		return s.lead(ctx, st)
	case "cut", "leave", "expire":
		return s.fault(ctx, st)
	}
	return identity(s.invalid(ctx, st))
}

// discover is what has to do with services.
func (s *side) discover(ctx context.Context, st act) string {
	c := s.clients[st.client]
	switch st.verb {
	case "register":
		return identity(s.register(ctx, st)) + s.displaced(st)
	case "displace":
		return s.displace(ctx, st)
	case "deregister":
		return identity(c.Deregister(ctx, &reception.Service{Name: st.name, ID: st.id}))
	case "list":
		return s.list(ctx, st)
	case "names":
		names, err := c.ListNames(ctx)
		_, suffix, _ := strings.Cut(st.name, "-")
		names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, suffix) }) // other sequences'
		return fmt.Sprintf("%q, %s", names, identity(err))
	}
	return s.watch(ctx, st)
}

// register registers an instance whose content is that of this step only.
func (s *side) register(ctx context.Context, st act) error {
	told := make(chan error, 100)
	service := service(st.name, st.id)
	service.Port = st.n
	service.Attributes = reception.Attributes{"by": fmt.Sprint(st.client), "step": fmt.Sprint(st.n)}
	err := s.clients[st.client].Register(ctx, service, func(err error) { told <- err })
	s.calls = append(s.calls, told)
	s.told[post{st.client, st.name, st.id}] = told
	return err
}

// displaced waits until the client whose record was taken over has been told so.
func (s *side) displaced(st act) string {
	if st.other < 0 {
		return ""
	}
	return fmt.Sprintf(", client %d is told: %s", st.other, s.tells(post{st.other, st.name, st.id}, reception.ErrReplaced))
}

// tells waits until the owner of a registration is told of that kind of trouble. That the record is in question may come
// before it, on a busy machine or where the session's end takes a while to be heard of.
func (s *side) tells(at post, want error) string {
	late := time.After(patience)
	for {
		select {
		case err := <-s.told[at]:
			if errors.Is(err, want) {
				return want.Error()
			}
			if !errors.Is(err, reception.ErrDisconnected) {
				return identity(err)
			}
		case <-late:
			return "nothing"
		}
	}
}

// displace has one client take a record over and the other, who may not have heard of that yet, deregister it.
func (s *side) displace(ctx context.Context, st act) string {
	taken := s.register(ctx, st)
	late := s.clients[st.other].Deregister(ctx, service(st.name, st.id))
	if errors.Is(late, reception.ErrNotRegistered) { // it has heard
		late = nil
	}
	s.forget(post{st.other, st.name, st.id}) // it may have been told, or not
	return fmt.Sprintf("%s, %s, %s", identity(taken), identity(late), s.list(ctx, st))
}

// forget drops what the owner of a registration is told.
func (s *side) forget(at post) {
	told := s.told[at]
	s.calls = slices.DeleteFunc(s.calls, func(c chan error) bool { return c == told })
}

// list lists instances, in the order of their IDs, and those that have a fixed place, in theirs.
func (s *side) list(ctx context.Context, st act) string {
	services, err := s.clients[st.client].ListServices(ctx, st.name)
	return shown(services, st.moved) + ", " + identity(err)
}

func shown(services []*reception.Service, moved map[string]bool) string {
	all, fixed := make([]string, 0, len(services)), []string{}
	for _, s := range services {
		all = append(all, fmt.Sprintf("%s/%s at %s:%d %v", s.Name, s.ID, s.Address, s.Port, s.Attributes))
		if !moved[s.Name+"/"+s.ID] {
			fixed = append(fixed, s.ID)
		}
	}
	slices.Sort(all)
	return fmt.Sprintf("%v, in order: %v", all, fixed)
}

// watch waits until the client's watcher shows what the client lists.
func (s *side) watch(ctx context.Context, st act) string {
	at := post{st.client, st.name, ""}
	w := s.watches[at]
	if w == nil {
		states, err := s.clients[st.client].NewWatcher(st.name).Start(s.t.Context())
		if err != nil {
			return identity(err)
		}
		w = &watch[reception.ServiceState]{states: states}
		s.watches[at] = w
	}
	services, err := s.clients[st.client].ListServices(ctx, st.name)
	want := shown(services, st.moved)
	return w.await(ctx, want, func(state *reception.ServiceState) bool {
		return state.Err == nil && shown(state.Services, st.moved) == want
	}) + ", " + identity(err)
}

// await waits until a state is as it should be, or no longer than a moment: the step is repeated, with what is to be
// waited for by then.
func (w *watch[S]) await(ctx context.Context, want string, is func(*S) bool) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for w.last == nil || !is(w.last) {
		select {
		case w.last = <-w.states:
			if w.last == nil {
				return "closed"
			}
		case <-ctx.Done():
			return fmt.Sprintf("%+v instead of %s", w.last, want)
		}
	}
	return want
}

// invalid calls a method with what it does not take.
func (s *side) invalid(ctx context.Context, st act) error {
	c, bad := s.clients[st.client], []string{"", "a/b", "-", strings.Repeat("x", 129)}[st.n%4]
	var err error
	switch st.n / 4 % 9 {
	case 0:
		err = c.Register(ctx, service(bad, st.id), nil)
	case 1:
		err = c.Register(ctx, service(st.name, bad), nil)
	case 2:
		err = c.Deregister(ctx, service(st.name, bad))
	case 3:
		_, err = c.ListServices(ctx, bad)
	case 4:
		_, err = c.NewWatcher(bad).Start(ctx)
	case 5:
		_, err = c.Campaign(ctx, bad, service(st.name, st.id))
	case 6:
		_, err = c.Leader(ctx, bad)
	case 7:
		_, err = c.NewLeaderWatcher(bad).Start(ctx)
	case 8:
		err = reception.NewElector(c, bad).Elect(ctx)
	}
	return err
}

// untold returns what the calls of onDisconnect have said that no step has taken.
func (s *side) untold() string {
	var all []string
	for i, told := range s.calls {
		for len(told) > 0 {
			if err := <-told; !errors.Is(err, reception.ErrDisconnected) {
				all = append(all, fmt.Sprintf("registration %d: %s", i, identity(err)))
			}
		}
	}
	return strings.Join(all, "; ")
}
