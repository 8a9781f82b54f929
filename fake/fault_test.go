package fake_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

var errScripted = errors.New("scripted")

// A fault that would never strike, or do nothing, is a mistake in the test.
func TestInjectRefusesFaults(t *testing.T) {
	tests := map[string]struct {
		fault fake.Fault
		says  []string
	}{
		"unknown operation": {fake.Fault{Operation: "Regster", Err: errScripted}, []string{`"Regster"`, "Register, Restore"}},
		"no operation":      {fake.Fault{Err: errScripted}, []string{`""`}},
		"unknown stage":     {fake.Fault{Operation: "Register", Stage: 7, Err: errScripted}, []string{"Register", "Stage 7"}},
		"negative stage":    {fake.Fault{Operation: "Register", Stage: -1, Err: errScripted}, []string{"Stage -1"}},
		"atomic":            {fake.Fault{Operation: "Register", Stage: fake.Between, Err: errScripted}, []string{"atomic"}},
		"no stream":         {fake.Fault{Operation: "Register", Stage: fake.Next, Err: errScripted}, []string{"stream"}},
		"negative Nth":      {fake.Fault{Operation: "Register", Nth: -1, Err: errScripted}, []string{"Nth"}},
		"negative Times":    {fake.Fault{Operation: "Register", Times: -1, Err: errScripted}, []string{"Times"}},
		"negative Delay":    {fake.Fault{Operation: "Register", Delay: -1}, []string{"Delay"}},
		"nothing":           {fake.Fault{Operation: "Register"}, []string{"one of"}},
		"no reply yet":      {fake.Fault{Operation: "Register", LoseReply: true}, []string{"no reply"}},
		"a reply and none": {
			fake.Fault{Operation: "Register", Stage: fake.After, LoseReply: true, Err: errScripted}, []string{"lost"},
		},
	}
	c := fake.NewCluster()
	b, session := process(t, c)
	for name, test := range tests {
		for _, inject := range []func(fake.Fault) (func(), error){c.Inject, b.Inject} {
			_, err := inject(test.fault)
			if err == nil {
				t.Errorf("%s: not refused", name)
				continue
			}
			for _, says := range test.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%s: %q does not say %q", name, err, says)
				}
			}
		}
	}
	register(t, b, session, "1")
}

// A fault strikes the calls that it says, and no others.
func TestNthAndTimes(t *testing.T) {
	tests := map[string]struct {
		nth, times int
		fails      []int // of ten calls
	}{
		"once":           {0, 0, []int{1}},
		"the third":      {3, 0, []int{3}},
		"twice":          {0, 2, []int{1, 2}},
		"three from two": {2, 3, []int{2, 3, 4}},
		"from eight on":  {8, fake.Always, []int{8, 9, 10}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := fake.NewCluster()
			b, session := process(t, c)
			inject(t, c, fake.Fault{Operation: "ListNames", Nth: test.nth, Times: test.times, Err: errScripted})
			var fails []int
			for n := 1; n <= 10; n++ {
				register(t, b, session, "1") // calls of other operations do not count
				if _, err := b.ListNames(t.Context(), &driver.ListNamesRequest{}); errors.Is(err, errScripted) {
					fails = append(fails, n)
				}
			}
			if !slices.Equal(fails, test.fails) {
				t.Errorf("calls %v fail, want %v", fails, test.fails)
			}
		})
	}
}

// Each fault counts every call, also those that others have ended.
func TestFaultsCountOnTheirOwn(t *testing.T) {
	c := fake.NewCluster()
	b := connect(t, c)
	inject(t, c, fake.Fault{Operation: "ListNames", Nth: 3, Err: errScripted})
	inject(t, c, fake.Fault{Operation: "ListNames", Nth: 3, Times: 2, Err: driver.ErrPermission})
	if _, err := b.Inject(fake.Fault{Operation: "ListNames", Nth: 1, Err: driver.ErrUnavailable}); err != nil {
		t.Fatal(err)
	}
	for n, want := range []error{driver.ErrUnavailable, nil, errScripted, driver.ErrPermission, nil} {
		if _, err := b.ListNames(t.Context(), &driver.ListNamesRequest{}); !errors.Is(err, want) {
			t.Errorf("call %d: got %v, want %v", n+1, err, want)
		}
	}
}

// A fault strikes until it is removed.
func TestRemoveFault(t *testing.T) {
	c := fake.NewCluster()
	b := connect(t, c)
	remove, err := c.Inject(fake.Fault{Operation: "ListNames", Times: fake.Always, Err: errScripted})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := b.ListNames(t.Context(), &driver.ListNamesRequest{}); !errors.Is(err, errScripted) {
			t.Errorf("got %v", err)
		}
	}
	remove()
	remove()
	if _, err := b.ListNames(t.Context(), &driver.ListNamesRequest{}); err != nil {
		t.Error(err)
	}
}

// What strikes at which stage, and whether the operation has been carried out then.
func TestStages(t *testing.T) {
	tests := map[string]struct {
		fault fake.Fault
		cuts  bool // it does so itself
		want  error
		done  bool
	}{
		"error before":     {fake.Fault{Err: errScripted}, false, errScripted, false},
		"cut before":       {fake.Fault{}, true, driver.ErrUnavailable, false},
		"error of hook":    {fake.Fault{Hook: fails}, false, errScripted, false},
		"delay before":     {fake.Fault{Delay: time.Second}, false, nil, true},
		"too long before":  {fake.Fault{Delay: time.Hour}, false, context.DeadlineExceeded, false},
		"error after":      {fake.Fault{Stage: fake.After, Err: errScripted}, false, errScripted, true},
		"lost":             {fake.Fault{Stage: fake.After, LoseReply: true}, false, driver.ErrOutcomeUnknown, true},
		"delay after":      {fake.Fault{Stage: fake.After, Delay: time.Second}, false, nil, true},
		"too long after":   {fake.Fault{Stage: fake.After, Delay: time.Hour}, false, driver.ErrOutcomeUnknown, true},
		"cut after":        {fake.Fault{Stage: fake.After}, true, driver.ErrOutcomeUnknown, true},
		"delayed and lost": {fake.Fault{Stage: fake.After, Delay: 1, LoseReply: true}, false, driver.ErrOutcomeUnknown, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := fake.NewCluster(fake.WithTTL(time.Hour))
				b, session := process(t, c)
				other := connect(t, c)
				f := test.fault
				f.Operation = "Register"
				if test.cuts {
					f.Hook = func(context.Context, driver.Call) error {
						b.Cut()
						return nil
					}
				}
				inject(t, c, f)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				got, err := b.Register(ctx, &driver.RegisterRequest{Session: session, Instance: instance(b, "1")})
				if !errors.Is(err, test.want) || (got == nil) != (err != nil) {
					t.Errorf("got %v, %v, want %v", got, err, test.want)
				}
				if done := len(ids(t, other)) == 1; done != test.done {
					t.Errorf("carried out: %v", done)
				}
			})
		})
	}
}

func fails(context.Context, driver.Call) error { return errScripted }

// A delay ends when the link does.
func TestDelayIsCut(t *testing.T) {
	for stage, want := range map[fake.Stage]error{
		fake.Before: driver.ErrUnavailable, fake.After: driver.ErrOutcomeUnknown,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := fake.NewCluster()
			b, session := process(t, c)
			inject(t, c, fake.Fault{Operation: "RenewSession", Stage: stage, Delay: time.Hour})
			time.AfterFunc(time.Second, b.Cut)
			start := time.Now()
			_, err := b.RenewSession(t.Context(), &driver.RenewSessionRequest{Session: session})
			if !errors.Is(err, want) || time.Since(start) != time.Second {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
		})
	}
}

// trouble is what a hook makes it with.
type trouble struct {
	c       *fake.Cluster
	b       *fake.Backend
	session driver.SessionID
}

// Between the steps of an operation that is not atomic anything may happen.
func TestBetween(t *testing.T) {
	tests := map[string]struct {
		fault   fake.Fault
		does    func(t trouble)
		want    error
		wantNot error
	}{
		"lost":         {fake.Fault{LoseReply: true}, nil, driver.ErrOutcomeUnknown, driver.ErrUnavailable},
		"error":        {fake.Fault{Err: errScripted}, nil, errScripted, nil},
		"error after":  {fake.Fault{Err: errScripted}, nil, driver.ErrOutcomeUnknown, nil},
		"unavailable":  {fake.Fault{Err: driver.ErrUnavailable}, nil, driver.ErrOutcomeUnknown, driver.ErrUnavailable},
		"too long":     {fake.Fault{Delay: time.Hour}, nil, driver.ErrOutcomeUnknown, nil},
		"context ends": {fake.Fault{Delay: time.Hour}, nil, context.DeadlineExceeded, nil},
		"delay":        {fake.Fault{Delay: time.Second}, nil, nil, nil},
		"cut":          {fake.Fault{}, func(t trouble) { t.b.Cut() }, driver.ErrOutcomeUnknown, nil},
		"expired":      {fake.Fault{}, func(t trouble) { t.c.Expire(t.session) }, driver.ErrNotLeader, nil},
		"wiped":        {fake.Fault{}, func(t trouble) { t.c.Wipe() }, driver.ErrNotLeader, nil},
		"frozen": {fake.Fault{}, func(t trouble) {
			t.b.Freeze()
			time.AfterFunc(20*time.Second, t.b.Thaw)
		}, driver.ErrNotLeader, nil},
		"withdrawn": {fake.Fault{}, func(t trouble) {
			_, err := t.b.Withdraw(context.Background(), &driver.WithdrawRequest{Session: t.session, Election: "e"})
			if err != nil {
				panic(err)
			}
		}, driver.ErrNotLeader, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := fake.NewCluster()
				b, session := process(t, c)
				enqueue(t, b, session)
				f := test.fault
				f.Operation, f.Stage = "Confirm", fake.Between
				if test.does != nil {
					f.Hook = func(context.Context, driver.Call) error {
						test.does(trouble{c, b, session})
						return nil
					}
				}
				inject(t, c, f)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err := b.Confirm(ctx, &driver.ConfirmRequest{Session: session, Election: "e", Token: 1})
				if !errors.Is(err, test.want) || test.wantNot != nil && errors.Is(err, test.wantNot) {
					t.Errorf("got %v, want %v, not %v", err, test.want, test.wantNot)
				}
			})
		})
	}
}

// Hooks are told what is called, and by the caller's own context.
func TestHookIsToldWhat(t *testing.T) {
	type key struct{}
	c := fake.NewCluster()
	b, _ := process(t, c)
	var calls []driver.Call
	for _, stage := range []fake.Stage{fake.Before, fake.After, fake.Next} {
		hook := func(ctx context.Context, call driver.Call) error {
			if ctx.Value(key{}) != "mine" {
				t.Error("another context")
			}
			calls = append(calls, call)
			return nil
		}
		inject(t, c, fake.Fault{Operation: "WatchService", Stage: stage, Hook: hook})
	}
	ctx := context.WithValue(t.Context(), key{}, "mine")
	request := &driver.WatchServiceRequest{Name: "web"}
	s, err := b.OpenWatchService(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	request.Name = "overwritten"
	if _, err := s.Next(ctx); err != nil {
		t.Fatal(err)
	}
	for i, next := range []bool{false, false, true} {
		if r, ok := calls[i].Request.(*driver.WatchServiceRequest); !ok || r.Name != "web" ||
			calls[i].Operation != driver.OpWatchService || calls[i].Next != next {
			t.Errorf("call %d: %+v", i, calls[i])
		}
	}
}

// Faults of the process strike before those of all; of one kind, those that were injected first.
func TestOrderOfFaults(t *testing.T) {
	c := fake.NewCluster()
	b := connect(t, c)
	var order []string
	note := func(name string) fake.Fault {
		return fake.Fault{Operation: "ListNames", Hook: func(context.Context, driver.Call) error {
			order = append(order, name)
			return nil
		}}
	}
	inject(t, c, note("all, first"))
	inject(t, c, note("all, second"))
	if _, err := b.Inject(note("own")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ListNames(t.Context(), &driver.ListNamesRequest{}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"own", "all, first", "all, second"}; !slices.Equal(order, want) {
		t.Errorf("struck in the order %q", order)
	}
}
