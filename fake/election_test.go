package fake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// enqueue puts a candidate into the queue of e.
func enqueue(tb testing.TB, b *fake.Backend, session driver.SessionID) {
	tb.Helper()
	_, err := b.Enqueue(context.Background(), &driver.EnqueueRequest{Session: session, Election: "e"})
	if err != nil {
		tb.Fatal(err)
	}
}

// candidate waits for its turn.
type candidate struct {
	b       *fake.Backend
	session driver.SessionID
	cancel  context.CancelFunc
	ended   chan error // one, when the wait has ended
	token   uint64
}

// campaign enqueues n candidates, each a process of its own, and has them wait.
func campaign(t *testing.T, c *fake.Cluster, n int) []*candidate {
	t.Helper()
	candidates := make([]*candidate, n)
	for i := range candidates {
		b, session := process(t, c, fake.WithLabel(fmt.Sprint(i)))
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		a := &candidate{b: b, session: session, cancel: cancel, ended: make(chan error, 1)}
		enqueue(t, b, session)
		go func() {
			turn, err := b.AwaitTurn(ctx, &driver.AwaitTurnRequest{Session: session, Election: "e"})
			if err == nil {
				a.token = turn.Token
			}
			a.ended <- err
		}()
		candidates[i] = a
	}
	synctest.Wait()
	return candidates
}

// turn says whether the candidate's wait has ended, and with which error.
func (a *candidate) turn() (ended bool, err error) {
	synctest.Wait()
	select {
	case err := <-a.ended:
		return true, err
	default:
		return false, nil
	}
}

func (a *candidate) confirm() (*driver.ConfirmResponse, error) {
	return a.b.Confirm(context.Background(), &driver.ConfirmRequest{Session: a.session, Election: "e", Token: a.token})
}

func (a *candidate) withdraw() error {
	_, err := a.b.Withdraw(context.Background(), &driver.WithdrawRequest{Session: a.session, Election: "e"})
	return err
}

// A hundred candidates lead one after the other, in the order in which they came, under growing tokens; each departure
// wakes the next and nobody else.
func TestOneDepartureWakesOneWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster(fake.WithTTL(time.Hour))
		candidates := campaign(t, c, 100)
		var token uint64
		for i, a := range candidates {
			if ended, err := a.turn(); !ended || err != nil {
				t.Fatalf("candidate %d: ended %v, %v", i, ended, err)
			}
			if got := c.WakeUps(); got != uint64(i) {
				t.Fatalf("after %d departures %d were woken", i, got)
			}
			if a.token <= token {
				t.Fatalf("token %d after %d", a.token, token)
			}
			token = a.token
			if _, err := a.confirm(); err != nil {
				t.Fatal(err)
			}
			leader, err := candidates[99].b.GetLeader(t.Context(), &driver.GetLeaderRequest{Election: "e"})
			if err != nil || leader.Leader.Session != a.session || leader.Leader.Token != token {
				t.Fatalf("the leader is %+v, %v", leader, err)
			}
			leave := []func() error{
				a.withdraw,
				func() error {
					_, err := a.b.CloseSession(t.Context(), &driver.CloseSessionRequest{Session: a.session})
					return err
				},
				func() error {
					c.Expire(a.session)
					return nil
				},
			}[i%3]
			if err := leave(); err != nil {
				t.Fatal(err)
			}
			_, err = a.confirm()
			if !errors.Is(err, driver.ErrNotLeader) && !errors.Is(err, driver.ErrSessionExpired) {
				t.Fatalf("confirmed after the departure: %v", err)
			}
		}
		_, err := candidates[0].b.GetLeader(t.Context(), &driver.GetLeaderRequest{Election: "e"})
		if !errors.Is(err, driver.ErrNoLeader) {
			t.Errorf("in the end: %v", err)
		}
	})
}

// What happens to one who waits ends that wait, and no other; the queue goes on.
func TestWaitsEnd(t *testing.T) {
	tests := map[string]struct {
		does    func(c *fake.Cluster, a *candidate)
		want    error
		wakeUps uint64
		stays   bool // in the queue
	}{
		"cancelled": {func(_ *fake.Cluster, a *candidate) { a.cancel() }, context.Canceled, 0, true},
		"deleted": {func(c *fake.Cluster, a *candidate) {
			if ok, err := c.Delete("candidate", "e", string(a.session)); !ok || err != nil {
				panic(fmt.Sprint(ok, err))
			}
		}, driver.ErrNotLeader, 1, false},
		"withdrawn":       {func(_ *fake.Cluster, a *candidate) { _ = a.withdraw() }, driver.ErrNotLeader, 1, false},
		"session expired": {func(c *fake.Cluster, a *candidate) { c.Expire(a.session) }, driver.ErrSessionExpired, 1, false},
		"cut":             {func(_ *fake.Cluster, a *candidate) { a.b.Cut() }, driver.ErrUnavailable, 0, true},
		"closed":          {func(_ *fake.Cluster, a *candidate) { _ = a.b.Close() }, driver.ErrClosed, 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := fake.NewCluster()
				candidates := campaign(t, c, 3)
				first, middle, last := candidates[0], candidates[1], candidates[2]
				test.does(c, middle)
				if ended, err := middle.turn(); !ended || !errors.Is(err, test.want) {
					t.Errorf("ended %v, %v, want %v", ended, err, test.want)
				}
				if got := c.WakeUps(); got != test.wakeUps {
					t.Errorf("%d were woken, want %d", got, test.wakeUps)
				}
				if ended, _ := last.turn(); ended {
					t.Error("so has another's wait")
				}
				if err := first.withdraw(); err != nil {
					t.Error(err)
				}
				if ended, _ := last.turn(); ended == test.stays {
					t.Errorf("the last one's turn has come: %v", ended)
				}
				c.Expire(middle.session)
				if ended, err := last.turn(); ended != test.stays || err != nil {
					t.Errorf("the last one's turn has come: %v, %v", ended, err)
				}
			})
		})
	}
}

// A call that ends without an answer meets no fault on the answer's way.
func TestNoAnswerNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster()
		inject(t, c, fake.Fault{Operation: "AwaitTurn", Stage: fake.After, Nth: 2, Err: errScripted})
		candidates := campaign(t, c, 2)
		candidates[1].cancel()
		if ended, err := candidates[1].turn(); !ended || !errors.Is(err, context.Canceled) {
			t.Errorf("ended %v, %v", ended, err)
		}
	})
}

// One who waits while his process is frozen learns of his turn when it goes on.
func TestTurnWhileFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster()
		candidates := campaign(t, c, 2)
		candidates[1].b.Freeze()
		if err := candidates[0].withdraw(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if ended, _ := candidates[1].turn(); ended {
			t.Error("a frozen process has heard of its turn")
		}
		candidates[1].b.Thaw()
		if ended, err := candidates[1].turn(); !ended || err != nil {
			t.Errorf("ended %v, %v", ended, err)
		}
	})
}

// A candidate that comes again keeps its place.
func TestEnqueueAgain(t *testing.T) {
	c := fake.NewCluster()
	a, first := process(t, c)
	b, second := process(t, c)
	enqueue(t, a, first)
	enqueue(t, b, second)
	enqueue(t, a, first)
	leader, err := b.GetLeader(t.Context(), &driver.GetLeaderRequest{Election: "e"})
	if err != nil || leader.Leader.Session != first || leader.Leader.Token != 1 {
		t.Errorf("the leader is %+v, %v", leader, err)
	}
	_, err = a.Enqueue(t.Context(), &driver.EnqueueRequest{Session: "none", Election: "e"})
	if !errors.Is(err, driver.ErrSessionExpired) {
		t.Errorf("on a session that does not exist: %v", err)
	}
	_, err = a.AwaitTurn(t.Context(), &driver.AwaitTurnRequest{Session: first, Election: "other"})
	if !errors.Is(err, driver.ErrNotLeader) {
		t.Errorf("a turn in another election: %v", err)
	}
}

// A fail-over takes the TTL, to the nanosecond, from the last renewal.
func TestFailOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster(fake.WithTTL(30 * time.Second))
		candidates := campaign(t, c, 2)
		if ended, err := candidates[0].turn(); !ended || err != nil {
			t.Fatal(ended, err)
		}
		stop := make(chan struct{})
		go func() { // the second one's renewals
			for {
				select {
				case <-time.After(10 * time.Second):
					_, _ = candidates[1].b.RenewSession(t.Context(), &driver.RenewSessionRequest{Session: candidates[1].session})
				case <-stop:
					return
				}
			}
		}()
		defer close(stop)
		time.Sleep(7 * time.Second)
		confirmed, err := candidates[0].confirm()
		if err != nil || confirmed.GoodFor != 30*time.Second {
			t.Fatal(confirmed, err)
		}
		start := time.Now()
		candidates[0].b.Cut()
		if err := <-candidates[1].ended; err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != 30*time.Second {
			t.Errorf("the fail-over took %v", got)
		}
	})
}
