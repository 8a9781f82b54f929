package reception_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// Each test here is an interleaving that is written down beside the code that forbids it.

const ttl = 15 * time.Second

// bubble runs a test in virtual time with a cluster, one process whose faults it has in hand, and an onlooker.
func bubble(t *testing.T, run func(s *scene), options ...fake.ClusterOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster(append([]fake.ClusterOption{fake.WithTTL(ttl), fake.WithHistory(200_000)}, options...)...)
		s := &scene{T: t, Cluster: cluster, backend: cluster.Backend(), other: cluster.Client()}
		s.client = reception.NewClient(s.backend)
		t.Cleanup(func() {
			s.backend.Heal()
			s.backend.Thaw()
			_ = s.client.Close() // a test may have closed it, or let it fail
			if err := s.other.Close(); err != nil {
				t.Error(err)
			}
		})
		run(s)
	})
}

type scene struct {
	*testing.T
	*fake.Cluster
	backend *fake.Backend
	client  reception.Client
	other   reception.Client
}

// api is an instance of the service that the tests are about.
func api(id string, port int) *reception.Service {
	return &reception.Service{Name: "api", ID: id, Address: "10.0.0.1", Port: port}
}

// inject arms a fault of the process in hand.
func (s *scene) inject(f fake.Fault) {
	s.Helper()
	if _, err := s.backend.Inject(f); err != nil {
		s.Fatal(err)
	}
}

// ports returns the ports that the onlooker sees.
func (s *scene) ports() []int {
	s.Helper()
	services, err := s.other.ListServices(s.Context(), "api")
	if err != nil {
		s.Fatal(err)
	}
	ports := []int{}
	for _, service := range services {
		ports = append(ports, service.Port)
	}
	return ports
}

// sees checks what the onlooker sees, now and all through the time given.
func (s *scene) sees(through time.Duration, want ...int) {
	s.Helper()
	for end := time.Now().Add(through); ; time.Sleep(max(through/97, time.Millisecond)) {
		synctest.Wait()
		if got := s.ports(); len(got) != len(want) || len(want) == 1 && got[0] != want[0] {
			s.Fatalf("the onlooker sees ports %v, want %v", got, want)
		}
		if !time.Now().Before(end) {
			return
		}
	}
}

// calls counts the calls of an operation that the cluster has carried out.
func (s *scene) calls(op *driver.Operation) (n int) {
	for _, entry := range s.History() {
		if entry.Operation == op && entry.Err == nil && !entry.Next {
			n++
		}
	}
	return n
}

func TestRegisterOfUnknownOutcomeLeavesNothing(t *testing.T) {
	bubble(t, func(s *scene) {
		s.inject(fake.Fault{Operation: "Register", Stage: fake.After, LoseReply: true})
		err := s.client.Register(s.Context(), api("a", 1), nil)
		if !errors.Is(err, reception.ErrOutcomeUnknown) {
			s.Fatalf("Register returned %v, want ErrOutcomeUnknown", err)
		}
		s.sees(3 * ttl)
		if err := s.client.Deregister(s.Context(), api("a", 1)); !errors.Is(err, reception.ErrNotRegistered) {
			s.Errorf("Deregister returned %v, want ErrNotRegistered", err)
		}
	})
}

// lateBackend carries a Register out only some time after it has said that the outcome is unknown.
type lateBackend struct {
	driver.Backend
	land context.Context
}

func (b *lateBackend) Register(_ context.Context, request *driver.RegisterRequest) (*driver.RegisterResponse, error) {
	context.AfterFunc(b.land, func() { _, _ = b.Backend.Register(context.Background(), request) })
	return nil, driver.ErrOutcomeUnknown
}

func TestRegisterThatLandsLateIsRemoved(t *testing.T) {
	bubble(t, func(s *scene) {
		land, cancel := context.WithCancel(context.Background())
		client := reception.NewClient(&lateBackend{Backend: s.Backend(), land: land})
		defer client.Close()
		if err := client.Register(s.Context(), api("a", 1), nil); !errors.Is(err, reception.ErrOutcomeUnknown) {
			s.Fatalf("Register returned %v, want ErrOutcomeUnknown", err)
		}
		s.sees(10 * ttl) // removed, in vain, as there is nothing yet
		before := s.calls(driver.OpDeregister)
		cancel() // now it lands
		synctest.Wait()
		if s.calls(driver.OpDeregister) <= before {
			s.Error("what landed late was not removed")
		}
		s.sees(3 * ttl)
	})
}

func TestUpdateThatFailsLeavesTheOldContent(t *testing.T) {
	for _, fault := range []fake.Fault{
		{Operation: "Register", Err: driver.ErrUnavailable},
		{Operation: "Register", Stage: fake.After, LoseReply: true},
	} {
		bubble(t, func(s *scene) {
			if err := s.client.Register(s.Context(), api("a", 1), nil); err != nil {
				s.Fatal(err)
			}
			s.inject(fault)
			if err := s.client.Register(s.Context(), api("a", 2), nil); err == nil {
				s.Fatal("Register did not fail")
			}
			time.Sleep(time.Second)
			s.sees(3*ttl, 1)
			if err := s.client.Register(s.Context(), api("a", 3), nil); err != nil {
				s.Fatal(err)
			}
			s.sees(3*ttl, 3)
		})
	}
}

// staleBackend opens watches that show a record as it was before they show it as it is.
type staleBackend struct {
	driver.Backend
	before *driver.Instance
}

func (b *staleBackend) OpenWatchRegistration(
	ctx context.Context, request *driver.WatchRegistrationRequest,
) (driver.InstanceStream, error) {
	stream, err := b.Backend.OpenWatchRegistration(ctx, request)
	return &staleStream{InstanceStream: stream, before: b.before}, err
}

type staleStream struct {
	driver.InstanceStream
	before *driver.Instance
}

func (s *staleStream) Next(ctx context.Context) (*driver.Batch[driver.Instance], error) {
	if before := s.before; before != nil {
		s.before = nil
		return &driver.Batch[driver.Instance]{Reset: true, Changes: []driver.Change[driver.Instance]{{Record: before}}}, nil
	}
	return s.InstanceStream.Next(ctx)
}

func TestTakeOverSurvivesAWatchThatIsBehind(t *testing.T) {
	// The watch still shows the record of the client that was displaced: that is no reason to give up.
	bubble(t, func(s *scene) {
		if err := s.other.Register(s.Context(), api("a", 1), nil); err != nil {
			s.Fatal(err)
		}
		displaced := &driver.Instance{Service: driver.Service{Name: "api", ID: "a"}, Owner: "the other one", Generation: 1}
		client := reception.NewClient(&staleBackend{Backend: s.Backend(), before: displaced})
		defer client.Close()
		told := make(chan error, 1)
		if err := client.Register(s.Context(), api("a", 2), func(err error) { told <- err }); err != nil {
			s.Fatal(err)
		}
		s.sees(3*ttl, 2)
		if len(told) > 0 {
			s.Errorf("the winner was told %v", <-told)
		}
	})
}

func TestDeregisterOverridesARestoreUnderWay(t *testing.T) {
	// The record is lost, its Restore is on the way, and the user withdraws it: neither that Restore nor another one may
	// bring it back.
	for _, lost := range []bool{false, true} {
		bubble(t, func(s *scene) {
			if err := s.client.Register(s.Context(), api("a", 1), nil); err != nil {
				s.Fatal(err)
			}
			s.inject(fake.Fault{Operation: "Restore", Stage: fake.After, Delay: 20 * time.Second, LoseReply: lost})
			if _, err := s.Delete("instance", "api", "a"); err != nil {
				s.Fatal(err)
			}
			time.Sleep(10 * time.Second) // the restored record is there, its confirmation is not
			if err := s.client.Deregister(s.Context(), api("a", 1)); err != nil {
				s.Fatal(err)
			}
			s.sees(5 * ttl)
		})
	}
}

func TestDeregisterDuringAnOutage(t *testing.T) {
	for _, outage := range []time.Duration{ttl / 2, 2 * ttl, 20 * ttl} {
		bubble(t, func(s *scene) {
			if err := s.client.Register(s.Context(), api("a", 1), nil); err != nil {
				s.Fatal(err)
			}
			s.backend.Cut()
			ctx, cancel := context.WithTimeout(s.Context(), time.Second)
			defer cancel()
			err := s.client.Deregister(ctx, api("a", 1))
			if !errors.Is(err, reception.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
				s.Fatalf("Deregister returned %v, want ErrUnavailable and the context's error", err)
			}
			time.Sleep(outage)
			s.backend.Heal()
			time.Sleep(10 * time.Second) // one wait of the backoff, at the longest
			s.sees(5 * ttl)
		})
	}
}

func TestUpdatesLeaveOneUpkeep(t *testing.T) {
	bubble(t, func(s *scene) {
		update := func(port int) {
			if err := s.client.Register(s.Context(), api("a", port), nil); err != nil {
				s.Fatal(err)
			}
			synctest.Wait()
		}
		update(1)
		before := runtime.NumGoroutine()
		for port := range 50 {
			update(port + 2)
		}
		if after := runtime.NumGoroutine(); after > before+10 { // the test binary has some of its own that come and go
			s.Errorf("%d goroutines after 50 updates, %d before", after, before)
		}
		s.sees(ttl, 51)
	})
}

func TestUpdateIsNoReplacement(t *testing.T) {
	// The update has been stored and its answer is on the way: what was there before must not take it for another client's.
	bubble(t, func(s *scene) {
		told := make(chan error, 8)
		tell := func(err error) { told <- err }
		if err := s.client.Register(s.Context(), api("a", 1), tell); err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "Register", Stage: fake.After, Delay: 5 * time.Second})
		if err := s.client.Register(s.Context(), api("a", 2), tell); err != nil {
			s.Fatal(err)
		}
		s.sees(ttl, 2)
		if len(told) > 0 {
			s.Errorf("the owner was told %v of its own update", <-told)
		}
	})
}

func TestRegisterOnASessionThatHasGone(t *testing.T) {
	// The backend has dropped the session and the renewal does not know yet: Register does not wait for its turn.
	bubble(t, func(s *scene) {
		if err := s.client.Register(s.Context(), api("a", 1), nil); err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "WatchRegistration", Stage: fake.Next, Delay: time.Hour, Times: fake.Always})
		if err := s.client.Deregister(s.Context(), api("a", 1)); err != nil {
			s.Fatal(err)
		}
		s.backend.ExpireSessions()
		start := time.Now()
		if err := s.client.Register(s.Context(), api("b", 2), nil); err != nil {
			s.Fatal(err)
		}
		if waited := time.Since(start); waited >= time.Second {
			s.Errorf("Register took %v", waited)
		}
		s.sees(ttl, 2)
	})
}

func TestCloseInsideTheCallback(t *testing.T) {
	bubble(t, func(s *scene) {
		closed := make(chan error, 1)
		err := s.client.Register(s.Context(), api("a", 1), func(error) {
			s.backend.Heal()
			closed <- s.client.Close()
		})
		if err != nil {
			s.Fatal(err)
		}
		s.backend.Cut()
		if err := <-closed; err != nil {
			s.Errorf("Close returned %v", err)
		}
		s.sees(0)
	})
}

func TestDeregisterInsideTheCallback(t *testing.T) {
	bubble(t, func(s *scene) {
		done := make(chan error, 1)
		err := s.client.Register(s.Context(), api("a", 1), func(error) {
			s.backend.Heal()
			done <- s.client.Deregister(context.Background(), api("a", 1))
		})
		if err != nil {
			s.Fatal(err)
		}
		s.backend.Cut()
		if err := <-done; err != nil {
			s.Errorf("Deregister returned %v", err)
		}
		s.sees(3 * ttl)
	})
}

func TestRegistrationsShareOneSession(t *testing.T) {
	const n = 1000
	bubble(t, func(s *scene) {
		for i := range n {
			if err := s.client.Register(s.Context(), api(string(rune('a'+i%26))+time.Duration(i).String(), 1), nil); err != nil {
				s.Fatal(err)
			}
		}
		if got := s.calls(driver.OpOpenSession); got != 1 {
			s.Errorf("%d sessions for %d registrations", got, n)
		}
		s.backend.Cut()
		time.Sleep(2 * ttl)
		if got := len(s.ports()); got != 0 {
			s.Errorf("%d instances are listed after the session's end", got)
		}
		s.backend.Heal()
		time.Sleep(10 * time.Second)
		if got := len(s.ports()); got != n {
			s.Errorf("%d instances came back, want %d", got, n)
		}
		if got := s.calls(driver.OpOpenSession); got != 2 {
			s.Errorf("%d sessions were opened in all, want one for each life", got)
		}
	})
}
