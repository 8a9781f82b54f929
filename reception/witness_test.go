package reception

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A reconnection is a witness that has heard of the client when it has connected last.
type reconnection struct{ at atomic.Pointer[driver.Moment] }

func (r *reconnection) now() {
	now := driver.Now()
	r.at.Store(&now)
}

// Heard implements [driver.Witness].
func (r *reconnection) Heard() driver.Moment {
	if at := r.at.Load(); at != nil {
		return *at
	}
	return driver.Moment{}
}

// TestOutageOfHalfTheTimeToLive has the connection be lost for half the time to live, at any moment of the rhythm of a
// session whose renewals need a quarter of it to settle. Nothing is in question.
func TestOutageOfHalfTheTimeToLive(t *testing.T) {
	lapses := func(t *testing.T, begins time.Duration) (n int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			a := asks(nil)
			a.takes = time.Millisecond // as every answer does
			r := newRenewal(time.Now(),
				&driver.OpenSessionResponse{TTL: testTTL, RenewEvery: testTTL / 12, Settle: testTTL / 4}, a.ask)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- r.run(ctx, events{lapsed: func(error) { n++ }}) }()
			time.Sleep(begins)
			a.err.Store(answer{ErrUnavailable})
			time.Sleep(testTTL / 2)
			a.err.Store(answer{nil})
			time.Sleep(time.Minute)
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("run returned %v", err)
			}
		})
		return n
	}
	for begins := 3 * testTTL; begins < 4*testTTL; begins += testTTL / 50 {
		if n := lapses(t, begins); n > 0 {
			t.Errorf("an outage that begins at %v puts the session in question", begins)
		}
	}
}

// TestWitnessCounts has a witness know of a moment, and a renewal be confirmed.
func TestWitnessCounts(t *testing.T) {
	const settle = 2500 * time.Millisecond
	tests := []struct {
		name    string
		heard   time.Duration // before the opening; 0: nothing was heard
		refused bool
		want    time.Duration // the horizon
		settled bool
	}{
		{"nothing was heard", 0, false, 9 * time.Second, false},
		{"just now", time.Second, false, 17 * time.Second, true},
		{"too long ago to add anything", 12 * time.Second, false, 9 * time.Second, false},
		{"and not confirmed", time.Second, true, 9 * time.Second, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				heard := new(reconnection)
				if test.heard > 0 {
					heard.now()
				}
				time.Sleep(test.heard)
				start := time.Now()
				a := asks(nil)
				if test.refused {
					a = asks(ErrUnavailable)
				}
				r := newRenewal(start, opened(settle), func(ctx context.Context) (time.Duration, error) {
					_, err := a.ask(ctx)
					return 2 * testTTL, err
				})
				r.witness = heard
				if err := r.try(t.Context()); (err != nil) != test.refused {
					t.Fatal(err)
				}
				until, _, settled := r.certain()
				if got := until.Sub(start); got != test.want || settled != test.settled {
					t.Errorf("the horizon is at %v, settled: %v; want %v, %v", got, settled, test.want, test.settled)
				}
				term := newTermRenewal(r, 0, a.ask)
				term.confirm(time.Now(), 2*testTTL)
				if term.standOn(r); term.held() != test.settled {
					t.Errorf("a term that is confirmed now is held: %v", term.held())
				}
			})
		})
	}
}
