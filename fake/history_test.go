package fake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// The history tells of every call, with what it returned and when.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := fake.NewCluster(fake.WithHistory(100))
		b, session := process(t, c, fake.WithLabel("mine"))
		inject(t, c, fake.Fault{Operation: "Register", Delay: time.Second})
		request := &driver.RegisterRequest{Session: session, Instance: instance(b, "1")}
		if _, err := b.Register(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		request.Session = "overwritten"
		_ = renew(b, "none")
		b.Cut()
		_ = invoke(t.Context(), b, driver.OpWatchLeader)
		b.Heal()
		s := watch(t, b)
		expectBatch(t, s, true, 1)
		b.Cut()
		_, _ = s.Next(t.Context())

		var got []string
		for i, e := range c.History() {
			if e.Seq != uint64(i+1) || e.Backend != "mine" || e.Request == nil || (e.Err != nil && e.Response != nil) {
				t.Errorf("entry %+v", e)
			}
			next := ""
			if e.Next {
				next = ".Next"
			}
			got = append(got, fmt.Sprintf("%v-%v %s%s %T %v",
				e.Started.Sub(start), e.Ended.Sub(start), e.Operation.Name, next, e.Response, e.Err))
		}
		want := []string{
			"0s-0s OpenSession *driver.OpenSessionResponse <nil>",
			"0s-1s Register *driver.RegisterResponse <nil>",
			"1s-1s RenewSession <nil> session expired",
			"1s-1s WatchLeader <nil> backend unavailable",
			"1s-1s WatchService <nil> <nil>",
			"1s-1s WatchService.Next *driver.Batch[github.com/go-reception/sdk/reception/driver.Instance] <nil>",
			"1s-1s WatchService.Next <nil> backend unavailable",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%q, want\n%q", got, want)
		}
		if r, ok := c.History()[1].Request.(*driver.RegisterRequest); !ok || r.Session != session {
			t.Errorf("the request has become %+v", r)
		}
	})
}

// The ring holds the latest calls, however many there were; without the option nothing is held.
func TestHistoryIsBounded(t *testing.T) {
	for _, size := range []int{0, 1, 2, 5} {
		var options []fake.ClusterOption
		if size > 0 {
			options = append(options, fake.WithHistory(size))
		}
		c := fake.NewCluster(options...)
		b := connect(t, c)
		for n := range 12 {
			list := c.History()
			if want := min(n, size); len(list) != want {
				t.Fatalf("%d entries after %d calls", len(list), n)
			}
			for i, e := range list {
				if e.Seq != uint64(n-len(list)+i+1) {
					t.Fatalf("entry %d of %d after %d calls is number %d", i, len(list), n, e.Seq)
				}
			}
			if _, err := b.ListNames(t.Context(), &driver.ListNamesRequest{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A history is of use as what happened in a test that failed: it holds calls of all processes in the order of their
// ends.
func TestHistoryOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster(fake.WithHistory(10))
		slow, fast := connect(t, c, fake.WithLabel("slow")), connect(t, c, fake.WithLabel("fast"))
		if _, err := slow.Inject(fake.Fault{Operation: "ListNames", Delay: time.Second, Err: errScripted}); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, err := slow.ListNames(context.Background(), &driver.ListNamesRequest{})
			done <- err
		}()
		synctest.Wait()
		if _, err := fast.ListNames(t.Context(), &driver.ListNamesRequest{}); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, errScripted) {
			t.Errorf("got %v", err)
		}
		h := c.History()
		if len(h) != 2 || h[0].Backend != "fast" || h[1].Backend != "slow" || !h[1].Started.Before(h[1].Ended) {
			t.Errorf("got %+v", h)
		}
	})
}
