package etcdtest

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
	t       *testing.T
	clients []reception.Client
	told    map[post]chan error // by the latest registration of each
	calls   []chan error        // of all registrations
	watches map[post]*watch     // without IDs
	terms   map[post]reception.Term
	tokens  map[string]uint64 // the latest of each election
}

// A post is what a client has by a name, and an ID where it takes one.
type post struct {
	client   int
	name, id string
}

// A watch is a watcher's channel and what came of it last.
type watch struct {
	states <-chan *reception.ServiceState
	last   *reception.ServiceState
}

func newSide(t *testing.T, connect func() driver.Backend) *side {
	t.Helper()
	s := &side{
		t: t, told: map[post]chan error{}, watches: map[post]*watch{}, terms: map[post]reception.Term{},
		tokens: map[string]uint64{},
	}
	for range clients {
		s.clients = append(s.clients, reception.NewClient(connect()))
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

// play carries out a step and returns what its client sees, in words that are the same on all backends.
func (s *side) play(st act) string {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
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
		return fmt.Sprintf("%q, %s", names, identity(err))
	case "watch":
		return s.watch(ctx, st)
	case "campaign":
		return s.campaign(ctx, st)
	case "succeed":
		return s.succeed(ctx, st)
	case "leader":
		leader, err := c.Leader(ctx, st.name)
		if err != nil {
			return identity(err)
		}
		return fmt.Sprintf("%s, the latest token: %v", leader.Service.ID, leader.Token == s.tokens[st.name])
	case "invalid":
		return identity(s.invalid(ctx, st))
	}
	term := s.terms[post{st.client, st.name, ""}]
	switch {
	case term == nil:
		return "never led"
	case st.verb == "resign":
		return fmt.Sprintf("%s, held: %v", identity(term.Resign(ctx)), term.Held())
	}
	return fmt.Sprintf("%s, held: %v", identity(term.Verify(ctx)), term.Held()) // verify
}

// register registers an instance whose content is that of this step only.
func (s *side) register(ctx context.Context, st act) error {
	told := make(chan error, 10)
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
	select {
	case err := <-s.told[post{st.other, st.name, st.id}]:
		return fmt.Sprintf(", client %d is told: %s", st.other, identity(err))
	case <-time.After(patience):
		return fmt.Sprintf(", client %d is not told", st.other)
	}
}

// displace has one client take a record over and the other, who may not have heard of that yet, deregister it.
func (s *side) displace(ctx context.Context, st act) string {
	taken := s.register(ctx, st)
	late := s.clients[st.other].Deregister(ctx, service(st.name, st.id))
	if errors.Is(late, reception.ErrNotRegistered) { // it has heard
		late = nil
	}
	told := s.told[post{st.other, st.name, st.id}]
	s.calls = slices.DeleteFunc(s.calls, func(c chan error) bool { return c == told }) // it may have been told, or not
	return fmt.Sprintf("%s, %s, %s", identity(taken), identity(late), s.list(ctx, st))
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
		w = &watch{states: states}
		s.watches[at] = w
	}
	services, err := s.clients[st.client].ListServices(ctx, st.name)
	want := shown(services, st.moved)
	for w.last == nil || w.last.Err != nil || shown(w.last.Services, st.moved) != want {
		select {
		case w.last = <-w.states:
			if w.last == nil {
				return "closed"
			}
		case <-ctx.Done():
			return fmt.Sprintf("%+v instead of %s", w.last, want)
		}
	}
	return want + ", " + identity(err)
}

// campaign campaigns until the client leads, or for a moment if another one does.
func (s *side) campaign(ctx context.Context, st act) string {
	if st.verb == "campaign" && st.other >= 0 {
		short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
		defer cancel()
		ctx = short
	}
	term, err := s.clients[st.client].Campaign(ctx, st.name, service("candidate", fmt.Sprint("of-step-", st.n)))
	if err != nil {
		return identity(err)
	}
	before := s.tokens[st.name]
	s.tokens[st.name], s.terms[post{st.client, st.name, ""}] = term.Token(), term
	return fmt.Sprintf("leads, held: %v, token is greater: %v", term.Held(), term.Token() > before)
}

// succeed has the leader resign while the client campaigns.
func (s *side) succeed(ctx context.Context, st act) string {
	leading := s.terms[post{st.other, st.name, ""}]
	won := make(chan string, 1)
	go func() { won <- s.campaign(ctx, st) }()
	resigned := identity(leading.Resign(ctx))
	return resigned + ", " + <-won
}

// invalid calls a method with what it does not take.
func (s *side) invalid(ctx context.Context, st act) error {
	c, bad := s.clients[st.client], []string{"", "a/b", "-", strings.Repeat("x", 129)}[st.n%4]
	var err error
	switch st.n / 4 % 7 {
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
	}
	return err
}

// untold returns what the calls of onDisconnect have said that no step has taken.
func (s *side) untold() string {
	var all []string
	for i, told := range s.calls {
		for len(told) > 0 {
			all = append(all, fmt.Sprintf("registration %d: %s", i, identity(<-told)))
		}
	}
	return strings.Join(all, "; ")
}
