package reception_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// closeBound is what Close may take, whatever happens.
const closeBound = 5 * time.Second

// closes calls Close, and checks that it takes no longer than it may.
func (s *scene) closes(client reception.Client) error {
	s.Helper()
	start := time.Now()
	err := client.Close()
	if took := time.Since(start); took > closeBound {
		s.Errorf("Close took %v, and may take %v", took, closeBound)
	}
	return err
}

func TestCloseWaitsForTheFirst(t *testing.T) {
	// The first Close waits for a backend that does not answer, and the second for the first.
	bubble(t, func(s *scene) {
		register(s, s.client, api("a", 1))
		s.backend.Freeze()
		first, second := make(chan time.Time, 1), make(chan time.Time, 1)
		go func() {
			if err := s.closes(s.client); err == nil {
				s.Error("the first Close has closed a session that nobody could reach")
			}
			first <- time.Now()
		}()
		synctest.Wait()
		go func() {
			if err := s.closes(s.client); err != nil {
				s.Errorf("the second Close returned %v, which is for the first one to tell", err)
			}
			second <- time.Now()
		}()
		if a, b := <-first, <-second; b.Before(a) {
			s.Errorf("the second Close returned %v before the first", a.Sub(b))
		}
	})
}

func TestCloseTriesAgain(t *testing.T) {
	// The first attempt to close each session fails.
	bubble(t, func(s *scene) {
		register(s, s.client, api("a", 1))
		if _, err := s.client.Campaign(s.Context(), "reaper", api("a", 1)); err != nil {
			s.Fatal(err)
		}
		s.inject(fake.Fault{Operation: "CloseSession", Err: driver.ErrUnavailable, Times: 2})
		if err := s.closes(s.client); err != nil {
			s.Errorf("Close returned %v", err)
		}
		if left := s.Sessions(); len(left) > 0 {
			s.Errorf("sessions after Close: %v", left)
		}
	})
}

func TestCloseOfASlowSession(t *testing.T) {
	// Whichever session is the first to be closed takes longer than Close has: the others are closed all the same.
	bubble(t, func(s *scene) {
		register(s, s.client, api("a", 1))
		for _, election := range []string{"reaper", "sweeper"} {
			if _, err := s.client.Campaign(s.Context(), election, api("a", 1)); err != nil {
				s.Fatal(err)
			}
		}
		s.inject(fake.Fault{Operation: "CloseSession", Delay: time.Minute})
		if err := s.closes(s.client); !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("Close returned %v, want to be told that the time was up", err)
		}
		if left := s.Sessions(); len(left) != 1 {
			s.Errorf("sessions after Close: %v, want the slow one", left)
		}
	})
}

func TestCloseJoinsCalls(t *testing.T) {
	// A call of a user's is with the backend, which takes its time to notice that the client has been closed.
	calls := map[string]func(s *scene, term reception.Term) error{
		"Register": func(s *scene, _ reception.Term) error { return s.client.Register(s.Context(), api("a", 1), nil) },
		"Enqueue": func(s *scene, _ reception.Term) error {
			_, err := s.client.Campaign(s.Context(), "sweeper", api("a", 1))
			return err
		},
		"Confirm": func(s *scene, term reception.Term) error { return term.Verify(s.Context()) },
	}
	for operation, call := range calls {
		t.Run(operation, func(t *testing.T) {
			bubble(t, func(s *scene) {
				term, err := s.client.Campaign(s.Context(), "reaper", api("a", 1))
				if err != nil {
					s.Fatal(err)
				}
				var answered atomic.Bool
				s.inject(fake.Fault{Operation: operation, Hook: func(context.Context, driver.Call) error {
					time.Sleep(time.Second)
					answered.Store(true)
					return nil
				}})
				returned := make(chan error, 1)
				go func() { returned <- call(s, term) }()
				synctest.Wait()
				if err := s.closes(s.client); err != nil {
					s.Errorf("Close returned %v", err)
				}
				if !answered.Load() {
					s.Error("Close returned while the call was with the backend")
				}
				if left := s.Sessions(); len(left) > 0 {
					s.Errorf("sessions after Close: %v", left)
				}
				if err := <-returned; err != nil && !errors.Is(err, reception.ErrClosed) {
					s.Errorf("the call returned %v, want ErrClosed if it fails", err)
				}
				s.sees(0)
			})
		})
	}
}

// A deaf backend ignores contexts, and takes its time over what it is named for.
type deaf struct {
	driver.Backend
	register, closeSession, close time.Duration
}

func (b *deaf) Register(_ context.Context, in *driver.RegisterRequest) (*driver.RegisterResponse, error) {
	time.Sleep(b.register)
	return b.Backend.Register(context.Background(), in)
}

func (b *deaf) CloseSession(_ context.Context, in *driver.CloseSessionRequest) (*driver.CloseSessionResponse, error) {
	time.Sleep(b.closeSession)
	return b.Backend.CloseSession(context.Background(), in)
}

func (b *deaf) Close() error {
	time.Sleep(b.close)
	return b.Backend.Close()
}

func TestCloseOfADeafBackend(t *testing.T) {
	for name, backend := range map[string]deaf{
		"a call":      {register: time.Minute},
		"the session": {closeSession: time.Minute},
		"the backend": {close: time.Minute},
		"everything":  {register: time.Minute, closeSession: time.Minute, close: time.Minute},
		"nothing":     {},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(s *scene) {
				backend.Backend = s.Backend()
				client := reception.NewClient(&backend)
				// The client has a session, and a call is under way.
				go func() { _ = client.Register(s.Context(), api("a", 1), nil) }()
				synctest.Wait()
				deaf := backend.register+backend.closeSession+backend.close > 0
				if err := s.closes(client); (err != nil) != deaf {
					s.Errorf("Close returned %v", err)
				}
				time.Sleep(4 * time.Minute) // it comes to an end
			})
		})
	}
}

// failingClose is a backend that cannot be closed.
type failingClose struct {
	driver.Backend
	err error
}

func (b *failingClose) Close() error { return errors.Join(b.Backend.Close(), b.err) }

func TestCloseTellsAllErrors(t *testing.T) {
	// One session may not be closed, another one cannot be reached, and the backend does not close.
	bubble(t, func(s *scene) {
		stuck := errors.New("stuck")
		client := reception.NewClient(&failingClose{s.backend, stuck})
		register(s, client, api("a", 1))
		if _, err := client.Campaign(s.Context(), "reaper", api("a", 1)); err != nil {
			s.Fatal(err)
		}
		var tries atomic.Int32
		s.inject(fake.Fault{Operation: "CloseSession", Times: fake.Always, Hook: func(context.Context, driver.Call) error {
			if tries.Add(1) == 1 {
				return driver.ErrPermission
			}
			return driver.ErrUnavailable
		}})
		err := s.closes(client)
		for _, want := range []error{reception.ErrPermission, reception.ErrUnavailable, stuck} {
			if !errors.Is(err, want) {
				s.Errorf("Close returned %v, which is not %v", err, want)
			}
		}
		var told *reception.Error
		if !errors.As(err, &told) || told.Op != "Close" {
			s.Errorf("Close returned a %T: %+v", err, told)
		}
	})
}
