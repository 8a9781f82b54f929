package reception_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// newClient returns a client over backend that is closed when the test ends.
func newClient(tb testing.TB, backend driver.Backend, options ...reception.Option) reception.Client {
	tb.Helper()
	client := reception.NewClient(backend, options...)
	tb.Cleanup(func() {
		if err := client.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return client
}

// pair returns two clients on one cluster, the backend of the first with it.
func pair(tb testing.TB, cluster *fake.Cluster) (client reception.Client, its *fake.Backend, other reception.Client) {
	tb.Helper()
	its = cluster.Backend()
	return newClient(tb, its), its, newClient(tb, cluster.Backend())
}

// service is one of name.
func service(name, id string, port int) *reception.Service {
	return &reception.Service{Name: name, ID: id, Address: "10.0.0.1", Port: port}
}

// register fails the test if it does.
func register(tb testing.TB, client reception.Client, s *reception.Service) {
	tb.Helper()
	if err := client.Register(tb.Context(), s, nil); err != nil {
		tb.Fatalf("Register %s: %v", s.ID, err)
	}
}

func deregister(tb testing.TB, client reception.Client, s *reception.Service) {
	tb.Helper()
	if err := client.Deregister(tb.Context(), s); err != nil {
		tb.Fatalf("Deregister %s: %v", s.ID, err)
	}
}

// start starts a watcher of either kind.
func start[S any](tb testing.TB, w interface {
	Start(context.Context) (<-chan S, error)
},
) <-chan S {
	tb.Helper()
	states, err := w.Start(tb.Context())
	if err != nil {
		tb.Fatalf("Start: %v", err)
	}
	return states
}

// patience is how long next waits. Virtual time does not mind, and real time does not need it.
const patience = time.Minute

// next returns the next state.
func next[S any](tb testing.TB, states <-chan *S) *S {
	tb.Helper()
	select {
	case state, open := <-states:
		if !open {
			tb.Fatal("the channel is closed")
		}
		return state
	case <-time.After(patience):
		tb.Fatalf("no state within %v", patience)
	}
	return nil
}

// noState fails the test if there is a state. It is for the inside of a bubble, after synctest.Wait.
func noState[S any](tb testing.TB, states <-chan *S) {
	tb.Helper()
	select {
	case state, open := <-states:
		tb.Fatalf("got %+v, open is %t; want to be told nothing", state, open)
	default:
	}
}

// mustClose waits until the channel is closed, whatever is in it before.
func mustClose[S any](tb testing.TB, states <-chan *S) {
	tb.Helper()
	timeout := time.After(patience)
	for {
		select {
		case _, open := <-states:
			if !open {
				return
			}
		case <-timeout:
			tb.Fatalf("the channel is open after %v", patience)
		}
	}
}

// ids shows services as id:port.
func ids(services []*reception.Service) []string {
	all := []string{}
	for _, s := range services {
		all = append(all, fmt.Sprintf("%s:%d", s.ID, s.Port))
	}
	return all
}

// wantState compares a state; each list is written as id:port.
func wantState(tb testing.TB, got *reception.ServiceState, services, added, updated, removed []string) {
	tb.Helper()
	for _, list := range []struct {
		name string
		got  []*reception.Service
		want []string
	}{
		{"Services", got.Services, services},
		{"Added", got.Added, added},
		{"Updated", got.Updated, updated},
		{"Removed", got.Removed, removed},
	} {
		if !slices.Equal(ids(list.got), list.want) {
			tb.Errorf("%s is %v, want %v", list.name, ids(list.got), list.want)
		}
	}
}

// A spy is a backend that counts the watch streams that are open, and may change what they deliver.
type spy struct {
	driver.Backend
	tamper func(*driver.Batch[driver.Instance]) *driver.Batch[driver.Instance] // may be nil

	mu           sync.Mutex
	open, opened int
}

func (s *spy) OpenWatchService(ctx context.Context, in *driver.WatchServiceRequest) (driver.InstanceStream, error) {
	stream, err := s.Backend.OpenWatchService(ctx, in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	s.opened++
	return &spiedStream{InstanceStream: stream, spy: s}, nil
}

// streams returns how many are open, and how many have been opened.
func (s *spy) streams() (open, opened int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, s.opened
}

type spiedStream struct {
	driver.InstanceStream
	spy  *spy
	once sync.Once
}

func (s *spiedStream) Next(ctx context.Context) (*driver.Batch[driver.Instance], error) {
	batch, err := s.InstanceStream.Next(ctx)
	if err == nil && s.spy.tamper != nil {
		batch = s.spy.tamper(batch)
	}
	return batch, err
}

func (s *spiedStream) Close() {
	s.once.Do(func() {
		s.spy.mu.Lock()
		defer s.spy.mu.Unlock()
		s.spy.open--
	})
	s.InstanceStream.Close()
}

// A logbook is a Logger that remembers its lines.
type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logbook) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *logbook) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}
