package reception_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
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
func bubble(t *testing.T, run func(t *testing.T, s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster(fake.WithTTL(ttl), fake.WithHistory(200_000))
		s := &scene{Cluster: cluster, backend: cluster.Backend(), other: cluster.Client()}
		s.client = reception.NewClient(s.backend)
		t.Cleanup(func() {
			s.backend.Heal()
			s.backend.Thaw()
			_ = s.client.Close() // a test may have closed it, or let it fail
			if err := s.other.Close(); err != nil {
				t.Error(err)
			}
		})
		run(t, s)
	})
}

type scene struct {
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
func (s *scene) inject(t *testing.T, f fake.Fault) {
	t.Helper()
	if _, err := s.backend.Inject(f); err != nil {
		t.Fatal(err)
	}
}

// ports returns the ports that the onlooker sees.
func (s *scene) ports(t *testing.T) []int {
	t.Helper()
	services, err := s.other.ListServices(t.Context(), "api")
	if err != nil {
		t.Fatal(err)
	}
	ports := []int{}
	for _, service := range services {
		ports = append(ports, service.Port)
	}
	return ports
}

// sees checks what the onlooker sees, now and all through the time given.
func (s *scene) sees(t *testing.T, through time.Duration, want ...int) {
	t.Helper()
	for end := time.Now().Add(through); ; time.Sleep(max(through/97, time.Millisecond)) {
		synctest.Wait()
		if got := s.ports(t); len(got) != len(want) || len(want) == 1 && got[0] != want[0] {
			t.Fatalf("the onlooker sees ports %v, want %v", got, want)
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
	bubble(t, func(t *testing.T, s *scene) {
		s.inject(t, fake.Fault{Operation: "Register", Stage: fake.After, LoseReply: true})
		err := s.client.Register(t.Context(), api("a", 1), nil)
		if !errors.Is(err, reception.ErrOutcomeUnknown) {
			t.Fatalf("Register returned %v, want ErrOutcomeUnknown", err)
		}
		s.sees(t, 3*ttl)
		if err := s.client.Deregister(t.Context(), api("a", 1)); !errors.Is(err, reception.ErrNotRegistered) {
			t.Errorf("Deregister returned %v, want ErrNotRegistered", err)
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
	bubble(t, func(t *testing.T, s *scene) {
		land, cancel := context.WithCancel(context.Background())
		client := reception.NewClient(&lateBackend{Backend: s.Cluster.Backend(), land: land})
		defer client.Close()
		if err := client.Register(t.Context(), api("a", 1), nil); !errors.Is(err, reception.ErrOutcomeUnknown) {
			t.Fatalf("Register returned %v, want ErrOutcomeUnknown", err)
		}
		s.sees(t, 10*ttl) // removed, in vain, as there is nothing yet
		before := s.calls(driver.OpDeregister)
		cancel() // now it lands
		synctest.Wait()
		if s.calls(driver.OpDeregister) <= before {
			t.Error("what landed late was not removed")
		}
		s.sees(t, 3*ttl)
	})
}

func TestUpdateThatFailsLeavesTheOldContent(t *testing.T) {
	for _, fault := range []fake.Fault{
		{Operation: "Register", Err: driver.ErrUnavailable},
		{Operation: "Register", Stage: fake.After, LoseReply: true},
	} {
		bubble(t, func(t *testing.T, s *scene) {
			if err := s.client.Register(t.Context(), api("a", 1), nil); err != nil {
				t.Fatal(err)
			}
			s.inject(t, fault)
			if err := s.client.Register(t.Context(), api("a", 2), nil); err == nil {
				t.Fatal("Register did not fail")
			}
			time.Sleep(time.Second)
			s.sees(t, 3*ttl, 1)
			if err := s.client.Register(t.Context(), api("a", 3), nil); err != nil {
				t.Fatal(err)
			}
			s.sees(t, 3*ttl, 3)
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
	bubble(t, func(t *testing.T, s *scene) {
		if err := s.other.Register(t.Context(), api("a", 1), nil); err != nil {
			t.Fatal(err)
		}
		displaced := &driver.Instance{Service: driver.Service{Name: "api", ID: "a"}, Owner: "the other one", Generation: 1}
		client := reception.NewClient(&staleBackend{Backend: s.Cluster.Backend(), before: displaced})
		defer client.Close()
		told := make(chan error, 1)
		if err := client.Register(t.Context(), api("a", 2), func(err error) { told <- err }); err != nil {
			t.Fatal(err)
		}
		s.sees(t, 3*ttl, 2)
		if len(told) > 0 {
			t.Errorf("the winner was told %v", <-told)
		}
	})
}

func TestDeregisterOverridesARestoreUnderWay(t *testing.T) {
	// The record is lost, its Restore is on the way, and the user withdraws it: neither that Restore nor another one may
	// bring it back.
	for _, lost := range []bool{false, true} {
		bubble(t, func(t *testing.T, s *scene) {
			if err := s.client.Register(t.Context(), api("a", 1), nil); err != nil {
				t.Fatal(err)
			}
			s.inject(t, fake.Fault{Operation: "Restore", Stage: fake.After, Delay: 20 * time.Second, LoseReply: lost})
			if _, err := s.Delete("instance", "api", "a"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second) // the restored record is there, its confirmation is not
			if err := s.client.Deregister(t.Context(), api("a", 1)); err != nil {
				t.Fatal(err)
			}
			s.sees(t, 5*ttl)
		})
	}
}

func TestDeregisterDuringAnOutage(t *testing.T) {
	for _, outage := range []time.Duration{ttl / 2, 2 * ttl, 20 * ttl} {
		bubble(t, func(t *testing.T, s *scene) {
			if err := s.client.Register(t.Context(), api("a", 1), nil); err != nil {
				t.Fatal(err)
			}
			s.backend.Cut()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := s.client.Deregister(ctx, api("a", 1))
			if !errors.Is(err, reception.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Deregister returned %v, want ErrUnavailable and the context's error", err)
			}
			time.Sleep(outage)
			s.backend.Heal()
			time.Sleep(10 * time.Second) // one wait of the backoff, at the longest
			s.sees(t, 5*ttl)
		})
	}
}

func TestUpdatesLeaveOneUpkeep(t *testing.T) {
	bubble(t, func(t *testing.T, s *scene) {
		update := func(port int) {
			if err := s.client.Register(t.Context(), api("a", port), nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		update(1)
		before := runtime.NumGoroutine()
		for port := range 50 {
			update(port + 2)
		}
		if after := runtime.NumGoroutine(); after != before {
			t.Errorf("%d goroutines after 50 updates, %d before", after, before)
		}
		s.sees(t, ttl, 51)
	})
}

func TestUpdateIsNoReplacement(t *testing.T) {
	// The update has been stored and its answer is on the way: what was there before must not take it for another client's.
	bubble(t, func(t *testing.T, s *scene) {
		told := make(chan error, 8)
		tell := func(err error) { told <- err }
		if err := s.client.Register(t.Context(), api("a", 1), tell); err != nil {
			t.Fatal(err)
		}
		s.inject(t, fake.Fault{Operation: "Register", Stage: fake.After, Delay: 5 * time.Second})
		if err := s.client.Register(t.Context(), api("a", 2), tell); err != nil {
			t.Fatal(err)
		}
		s.sees(t, ttl, 2)
		if len(told) > 0 {
			t.Errorf("the owner was told %v of its own update", <-told)
		}
	})
}

func TestRegisterOnASessionThatHasGone(t *testing.T) {
	// The backend has dropped the session and the renewal does not know yet: Register does not wait for its turn.
	bubble(t, func(t *testing.T, s *scene) {
		if err := s.client.Register(t.Context(), api("a", 1), nil); err != nil {
			t.Fatal(err)
		}
		s.inject(t, fake.Fault{Operation: "WatchRegistration", Stage: fake.Next, Delay: time.Hour, Times: fake.Always})
		if err := s.client.Deregister(t.Context(), api("a", 1)); err != nil {
			t.Fatal(err)
		}
		s.backend.ExpireSessions()
		start := time.Now()
		if err := s.client.Register(t.Context(), api("b", 2), nil); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited >= time.Second {
			t.Errorf("Register took %v", waited)
		}
		s.sees(t, ttl, 2)
	})
}

func TestCloseInsideTheCallback(t *testing.T) {
	bubble(t, func(t *testing.T, s *scene) {
		closed := make(chan error, 1)
		err := s.client.Register(t.Context(), api("a", 1), func(error) {
			s.backend.Heal()
			closed <- s.client.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
		s.backend.Cut()
		if err := <-closed; err != nil {
			t.Errorf("Close returned %v", err)
		}
		s.sees(t, 0)
	})
}

func TestDeregisterInsideTheCallback(t *testing.T) {
	bubble(t, func(t *testing.T, s *scene) {
		done := make(chan error, 1)
		err := s.client.Register(t.Context(), api("a", 1), func(error) {
			s.backend.Heal()
			done <- s.client.Deregister(context.Background(), api("a", 1))
		})
		if err != nil {
			t.Fatal(err)
		}
		s.backend.Cut()
		if err := <-done; err != nil {
			t.Errorf("Deregister returned %v", err)
		}
		s.sees(t, 3*ttl)
	})
}

func TestTermEndsBeforeTheBackendIsTold(t *testing.T) {
	endings := map[string]func(t *testing.T, s *scene, term reception.Term) error{
		"resign": func(t *testing.T, _ *scene, term reception.Term) error { return term.Resign(t.Context()) },
		"close":  func(_ *testing.T, s *scene, _ reception.Term) error { return s.client.Close() },
	}
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *scene) {
				term, err := s.client.Campaign(t.Context(), "reaper", api("a", 1))
				if err != nil {
					t.Fatal(err)
				}
				var told atomic.Int32
				for _, op := range []string{"Withdraw", "CloseSession"} {
					s.inject(t, fake.Fault{Operation: op, Times: fake.Always, Hook: func(context.Context, driver.Call) error {
						told.Add(1)
						if term.Held() || term.Context().Err() == nil {
							t.Errorf("%s was sent while the term was held: %v, its context %v", op, term.Held(), term.Context().Err())
						}
						return nil
					}})
				}
				if err := end(t, s, term); err != nil {
					t.Fatal(err)
				}
				if told.Load() == 0 {
					t.Error("the backend was not told")
				}
			})
		})
	}
}

func TestCloseOvertakesACampaign(t *testing.T) {
	// The client is closed while the confirmation that would begin the term is on its way back.
	bubble(t, func(t *testing.T, s *scene) {
		closed := make(chan error, 1)
		s.inject(t, fake.Fault{Operation: "Confirm", Stage: fake.After, Hook: func(context.Context, driver.Call) error {
			go func() { closed <- s.client.Close() }()
			return nil
		}})
		term, err := s.client.Campaign(t.Context(), "reaper", api("a", 1))
		if err := <-closed; err != nil {
			t.Errorf("Close returned %v", err)
		}
		if err == nil && term.Held() {
			t.Error("a term is held that nobody ends")
		}
		if err != nil && !errors.Is(err, reception.ErrClosed) {
			t.Errorf("Campaign returned %v, want ErrClosed", err)
		}
		if leader, err := s.other.Leader(t.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) {
			t.Errorf("after Close there is a leader: %v, %v", leader, err)
		}
	})
}

func TestTurnWithoutASessionIsNoTerm(t *testing.T) {
	// The turn has come and the session goes before the confirmation: the campaign starts over.
	bubble(t, func(t *testing.T, s *scene) {
		s.inject(t, fake.Fault{Operation: "AwaitTurn", Stage: fake.After, Hook: func(context.Context, driver.Call) error {
			s.backend.ExpireSessions()
			return nil
		}})
		term, err := s.client.Campaign(t.Context(), "reaper", api("a", 1))
		if err != nil {
			t.Fatal(err)
		}
		leader, err := s.other.Leader(t.Context(), "reaper")
		if err != nil || leader.Token != term.Token() {
			t.Errorf("the term has token %d, the cluster's leader is %v, %v", term.Token(), leader, err)
		}
		if n := s.calls(driver.OpEnqueue); n != 2 {
			t.Errorf("%d candidacies, want a second one", n)
		}
	})
}

func TestRemovedCandidacyEndsTheTermAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *scene) {
		term, err := s.client.Campaign(t.Context(), "reaper", api("a", 1))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if s.backend.ExpireSessions() == 0 {
			t.Fatal("there was no session to expire")
		}
		<-term.Context().Done()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("a connected holder noticed after %v", waited)
		}
		if term.Held() || !errors.Is(context.Cause(term.Context()), reception.ErrNotLeader) &&
			!errors.Is(context.Cause(term.Context()), reception.ErrSessionExpired) {
			t.Errorf("held: %v, cause: %v", term.Held(), context.Cause(term.Context()))
		}
	})
}

func TestRegistrationsShareOneSession(t *testing.T) {
	const n = 1000
	bubble(t, func(t *testing.T, s *scene) {
		for i := range n {
			if err := s.client.Register(t.Context(), api(string(rune('a'+i%26))+time.Duration(i).String(), 1), nil); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.calls(driver.OpOpenSession); got != 1 {
			t.Errorf("%d sessions for %d registrations", got, n)
		}
		s.backend.Cut()
		time.Sleep(2 * ttl)
		if got := len(s.ports(t)); got != 0 {
			t.Errorf("%d instances are listed after the session's end", got)
		}
		s.backend.Heal()
		time.Sleep(10 * time.Second)
		if got := len(s.ports(t)); got != n {
			t.Errorf("%d instances came back, want %d", got, n)
		}
		if got := s.calls(driver.OpOpenSession); got != 2 {
			t.Errorf("%d sessions were opened in all, want one for each life", got)
		}
	})
}
