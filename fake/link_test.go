package fake_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// Each operation, present and to come, is answered, refused and held up in the same way.
func TestEveryOperationOverTheLink(t *testing.T) {
	for _, op := range driver.Operations() {
		t.Run(op.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := connect(t, fake.NewCluster())
				expect := func(when string, want error, took time.Duration) {
					t.Helper()
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					start := time.Now()
					err := invoke(ctx, b, op)
					if want == nil && !answered(err) || want != nil && !errors.Is(err, want) {
						t.Errorf("%s: got %v, want %v", when, err, want)
					}
					if got := time.Since(start); got != took {
						t.Errorf("%s: took %v, want %v", when, got, took)
					}
				}
				expect("up", nil, 0)
				b.Cut()
				b.Cut()
				expect("cut", driver.ErrUnavailable, 0)
				b.Freeze()
				expect("cut and frozen", context.DeadlineExceeded, time.Minute)
				time.AfterFunc(time.Second, b.Thaw)
				expect("thawed, still cut", driver.ErrUnavailable, time.Second)
				b.Heal()
				b.Heal()
				expect("healed", nil, 0)
				b.Freeze()
				time.AfterFunc(time.Second, b.Thaw)
				expect("frozen for a second", nil, time.Second)
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				if err := invoke(ended, b, op); !errors.Is(err, context.Canceled) {
					t.Errorf("with a context that has ended: %v", err)
				}
				b.Freeze()
				time.AfterFunc(time.Second, func() { _ = b.Close() })
				expect("frozen, then closed", driver.ErrClosed, time.Second)
				if err := invoke(ended, b, op); !errors.Is(err, driver.ErrClosed) {
					t.Errorf("closed, with a context that has ended: %v", err)
				}
				b.Heal()
				b.Thaw()
				expect("closed", driver.ErrClosed, 0)
			})
		})
	}
}

// While the way back is barred the operation has been carried out, and the caller cannot know.
func TestAnswersThatDoNotArrive(t *testing.T) {
	tests := map[string]struct {
		bar          func(b *fake.Backend)
		write, read  error
		notWrite     error // which write's error must not be
		answerHeldUp time.Duration
	}{
		"cut": {
			bar:   (*fake.Backend).Cut,
			write: driver.ErrOutcomeUnknown, notWrite: driver.ErrUnavailable, read: driver.ErrUnavailable,
		},
		"closed": {bar: func(b *fake.Backend) { _ = b.Close() }, write: driver.ErrOutcomeUnknown, read: driver.ErrClosed},
		"cut and healed": {bar: func(b *fake.Backend) {
			b.Cut()
			b.Heal()
		}, write: driver.ErrOutcomeUnknown, read: driver.ErrUnavailable},
		"frozen": {
			bar:   (*fake.Backend).Freeze,
			write: driver.ErrOutcomeUnknown, read: context.DeadlineExceeded, answerHeldUp: time.Minute,
		},
		"frozen, then cut": {bar: func(b *fake.Backend) {
			b.Freeze()
			b.Cut()
			time.AfterFunc(time.Second, b.Thaw)
		}, write: driver.ErrOutcomeUnknown, read: driver.ErrUnavailable, answerHeldUp: time.Second},
		"frozen, then thawed": {bar: func(b *fake.Backend) {
			b.Freeze()
			time.AfterFunc(time.Second, b.Thaw)
		}, answerHeldUp: time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := fake.NewCluster(fake.WithTTL(time.Hour))
				b, session := process(t, c)
				other := connect(t, c)
				bar := func(context.Context, driver.Call) error {
					test.bar(b)
					return nil
				}
				call := func(do func(ctx context.Context) error, want error) error {
					t.Helper()
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					start := time.Now()
					err := do(ctx)
					if !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
					if got := time.Since(start); got != test.answerHeldUp {
						t.Errorf("took %v, want %v", got, test.answerHeldUp)
					}
					return err
				}
				inject(t, c, fake.Fault{Operation: "ListNames", Stage: fake.After, Hook: bar})
				_ = call(func(ctx context.Context) error {
					_, err := b.ListNames(ctx, &driver.ListNamesRequest{})
					return err
				}, test.read)
				b.Thaw()
				b.Heal()
				if name == "closed" {
					b = connect(t, c)
				}
				inject(t, c, fake.Fault{Operation: "Register", Stage: fake.After, Hook: bar})
				err := call(func(ctx context.Context) error {
					_, err := b.Register(ctx, &driver.RegisterRequest{Session: session, Instance: instance(b, "1")})
					return err
				}, test.write)
				if test.notWrite != nil && errors.Is(err, test.notWrite) {
					t.Errorf("%v says that nothing was written", err)
				}
				if test.answerHeldUp == time.Minute && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v does not tell of the context", err)
				}
				if got := ids(t, other); len(got) != 1 {
					t.Errorf("registered: %v", got)
				}
			})
		})
	}
}

// An operation that is refused looks the same when the refusal does not arrive: the caller cannot know.
func TestRefusalThatDoesNotArrive(t *testing.T) {
	c := fake.NewCluster()
	b := connect(t, c)
	inject(t, c, fake.Fault{Operation: "RenewSession", Stage: fake.After, LoseReply: true})
	_, err := b.RenewSession(t.Context(), &driver.RenewSessionRequest{Session: "none"})
	if !errors.Is(err, driver.ErrOutcomeUnknown) || errors.Is(err, driver.ErrSessionExpired) {
		t.Errorf("got %v", err)
	}
}

// The faults of one process do not touch another.
func TestFaultsOfOneProcess(t *testing.T) {
	c := fake.NewCluster()
	ours, session := process(t, c)
	theirs, other := process(t, c)
	ours.Cut()
	register(t, theirs, other, "1")
	ours.Heal()
	ours.Freeze()
	register(t, theirs, other, "2")
	ours.Thaw()
	if _, err := theirs.Inject(fake.Fault{Operation: "ListServices", Err: driver.ErrPermission}); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, ours); len(got) != 2 {
		t.Errorf("listed %v", got)
	}
	if n := ours.ExpireSessions(); n != 1 {
		t.Errorf("%d sessions have expired", n)
	}
	if err := renew(ours, session); !errors.Is(err, driver.ErrSessionExpired) {
		t.Errorf("renewed with %v", err)
	}
	if err := renew(theirs, other); err != nil {
		t.Error(err)
	}
}

// Close ends what is under way, withdraws nothing and may be called again.
func TestBackendClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster()
		b, session := process(t, c)
		other := connect(t, c)
		register(t, b, session, "1")
		enqueue(t, other, open(t, other))
		enqueue(t, b, session)
		s, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "web"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		errs := make(chan error, 2)
		go func() {
			_, err := b.AwaitTurn(t.Context(), &driver.AwaitTurnRequest{Session: session, Election: "e"})
			errs <- err
		}()
		go func() {
			_, err := s.Next(t.Context())
			errs <- err
		}()
		synctest.Wait()
		for range 2 {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, driver.ErrClosed) {
				t.Errorf("a call ends with %v", err)
			}
		}
		s.Close()
		if _, err := s.Next(t.Context()); !errors.Is(err, driver.ErrClosed) {
			t.Errorf("Next returns %v", err)
		}
		time.Sleep(fake.DefaultTTL - 1)
		if got := ids(t, other); len(got) != 1 {
			t.Errorf("listed %v", got)
		}
		time.Sleep(time.Nanosecond)
		if got := ids(t, other); got != nil {
			t.Errorf("after the TTL listed %v", got)
		}
	})
}
