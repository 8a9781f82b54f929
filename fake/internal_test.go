package fake

import (
	"context"
	"errors"
	"testing"

	"github.com/go-reception/sdk/fake/internal/kernel"
	"github.com/go-reception/sdk/reception/driver"
)

// spy is a stream that counts how often it is closed.
type spy struct {
	driver.InstanceStream

	closed int
}

func (s *spy) Close() { s.closed++ }

// spyOn makes a backend open a spy instead of a stream.
func spyOn(t *testing.T, b *Backend) *spy {
	t.Helper()
	s := &spy{}
	rules := *specRules()
	rules.watchService = func(*kernel.Tx, *tables, *driver.WatchServiceRequest) (driver.InstanceStream, error) {
		return s, nil
	}
	b.rules = &rules
	return s
}

// However a stream ends, nothing of it is left: neither in the cluster nor in the backend.
func TestStreamsAreGivenBack(t *testing.T) {
	cut := func(b *Backend) func(context.Context, driver.Call) error {
		return func(context.Context, driver.Call) error {
			b.Cut()
			return nil
		}
	}
	tests := map[string]struct {
		fault *Fault
		ends  func(b *Backend, s driver.InstanceStream)
	}{
		"closed":                  {nil, func(_ *Backend, s driver.InstanceStream) { s.Close() }},
		"closed with the backend": {nil, func(b *Backend, _ driver.InstanceStream) { _ = b.Close() }},
		"not opened: lost":        {&Fault{Stage: After, LoseReply: true}, nil},
		"not opened: cut":         {&Fault{Stage: After}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := NewCluster().Backend()
			s := spyOn(t, b)
			if f := test.fault; f != nil {
				f.Operation = "WatchService"
				if !f.LoseReply {
					f.Hook = cut(b)
				}
				if _, err := b.Inject(*f); err != nil {
					t.Fatal(err)
				}
			}
			opened, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{})
			if test.ends != nil {
				test.ends(b, opened)
			} else if !errors.Is(err, driver.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
			if s.closed != 1 || len(b.streams) != 0 {
				t.Errorf("closed %d times, %d streams are left", s.closed, len(b.streams))
			}
		})
	}
}

// A stream that the rules refuse is not there, whether the caller hears of that or not.
func TestStreamIsRefused(t *testing.T) {
	for _, lost := range []bool{false, true} {
		c := NewCluster()
		c.rules.watchService = func(
			*kernel.Tx, *tables, *driver.WatchServiceRequest,
		) (driver.InstanceStream, error) {
			return nil, driver.ErrSessionExpired
		}
		b := c.Backend()
		want := driver.ErrSessionExpired
		if lost {
			want = driver.ErrUnavailable
			if _, err := b.Inject(Fault{Operation: "WatchService", Stage: After, LoseReply: true}); err != nil {
				t.Fatal(err)
			}
		}
		if s, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{}); s != nil || !errors.Is(err, want) {
			t.Errorf("got %v, %v, want %v", s, err, want)
		}
	}
}

// A fault that is over is forgotten.
func TestFaultsAreForgotten(t *testing.T) {
	b := NewCluster().Backend()
	for range 3 {
		if _, err := b.Inject(Fault{Operation: "ListNames", Nth: 2, Times: 2, Err: driver.ErrPermission}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		_, _ = b.ListNames(t.Context(), &driver.ListNamesRequest{})
	}
	if left := *b.faults.armed.Load(); len(left) != 0 {
		t.Errorf("%d faults are left", len(left))
	}
}

// The rules are what an operation means: a wrong one is a wrong operation.
func TestRulesCanBeReplaced(t *testing.T) {
	c := NewCluster()
	c.rules.listNames = func(*kernel.Tx, *tables, *driver.ListNamesRequest, *driver.ListNamesResponse) error {
		return driver.ErrPermission
	}
	if _, err := c.Backend().ListNames(t.Context(), &driver.ListNamesRequest{}); !errors.Is(err, driver.ErrPermission) {
		t.Errorf("got %v", err)
	}
}
