package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// follow reads a stream of instances until those that are present are as wanted.
func follow(t *testing.T, stream driver.InstanceStream, present map[string]*driver.Instance, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		var got []string
		for id := range present {
			got = append(got, id)
		}
		if slices.Sort(got); slices.Equal(got, want) {
			return
		}
		batch, err := stream.Next(ctx)
		if err != nil {
			t.Fatalf("with %q present, want %q: %v", got, want, err)
		}
		if batch.Reset {
			clear(present)
		}
		for _, change := range batch.Changes {
			present[change.Record.Service.ID] = change.Record
			if change.Deleted {
				delete(present, change.Record.Service.ID)
			}
		}
	}
}

func register(t *testing.T, b *backend, on driver.SessionID, id string) {
	t.Helper()
	_, err := b.Register(t.Context(), &driver.RegisterRequest{Session: on, Instance: instance(id)})
	if err != nil {
		t.Fatal(err)
	}
}

// TestChangeCostsTwoRequests counts what a change among many costs one who watches: the names, and the one that is new.
// Watches of one service share one watch at the servers.
func TestChangeCostsTwoRequests(t *testing.T) {
	s := serve(t)
	b, writer := s.backend(), s.backend()
	on := session(t, writer)
	const n = 300
	for i := range n {
		register(t, writer, on, fmt.Sprintf("i%03d", i))
	}
	stream, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	var reads, lists int
	for i := range 5 {
		before, listsBefore := s.count(opGetData), s.count(opGetChildren)
		register(t, writer, on, fmt.Sprintf("new%d", i))
		batch, err := stream.Next(t.Context())
		if err != nil || len(batch.Changes) != 1 {
			t.Fatalf("%+v, %v", batch, err)
		}
		reads += s.count(opGetData) - before
		lists += s.count(opGetChildren) - listsBefore
	}
	// The writer lists once or twice for each of its writes.
	if reads > 5 || lists > 5*3 {
		t.Errorf("5 changes have cost %d reads and %d lists", reads, lists)
	}
}

// TestOneWatchForAll opens and closes a thousand watches of one service: it leaves one at the servers.
func TestOneWatchForAll(t *testing.T) {
	s := serve(t)
	b := s.backend()
	on := session(t, b)
	register(t, b, on, "1")
	for range 1000 {
		stream, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "api"})
		if err != nil {
			t.Fatal(err)
		}
		stream.Close()
		stream.Close()
	}
	s.do(func() {
		for c := range s.conns {
			if n := len(c.watches); n > 1 {
				t.Errorf("%d watches are left", n)
			}
		}
	})
}

// TestH28WatchThatWasLost: the servers forget what they were asked to tell, without a word. The next change is seen
// when the client looks by itself, and after that there is a watch again.
func TestH28WatchThatWasLost(t *testing.T) {
	s := serve(t)
	b, writer := s.backend(WithRelistInterval(200*time.Millisecond)), s.backend()
	on := session(t, writer)
	register(t, writer, on, "1")
	stream, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	present := map[string]*driver.Instance{}
	follow(t, stream, present, "1")
	for i := range 3 {
		s.do(func() {
			for c := range s.conns {
				clear(c.watches)
			}
		})
		register(t, writer, on, fmt.Sprintf("x%d", i))
		want := []string{"1"}
		for j := range i + 1 {
			want = append(want, fmt.Sprintf("x%d", j))
		}
		follow(t, stream, present, want...)
	}
}

// TestH28ParentsComeAndGo: the node that is watched is deleted, and created again.
func TestH28ParentsComeAndGo(t *testing.T) {
	s := serve(t)
	b, writer := s.backend(), s.backend()
	on := session(t, writer)
	stream, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	present := map[string]*driver.Instance{}
	for range 5 {
		register(t, writer, on, "1")
		follow(t, stream, present, "1")
		_, err := writer.Deregister(t.Context(), &driver.DeregisterRequest{Name: "api", ID: "1", Owner: "me", Generation: 1})
		if err != nil {
			t.Fatal(err)
		}
		s.do(func() { s.delete("/reception/services/api") }) // as the servers do with empty containers
		follow(t, stream, present)
	}
}

// TestH30SequenceWraps: the servers count candidates in 32 bits, and after the greatest number comes the least.
func TestH30SequenceWraps(t *testing.T) {
	for _, first := range []int32{math.MaxInt32 - 1, math.MaxInt32, math.MinInt32, -2, 0} {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			s := serve(t)
			b, other := s.backend(), s.backend()
			s.do(func() {
				for _, p := range []string{"/reception/elections", "/reception/elections/e"} {
					s.nodes[p] = &stubNode{sequence: first}
				}
			})
			var sessions []driver.SessionID
			for i := range 5 {
				on := session(t, b)
				sessions = append(sessions, on)
				_, err := b.Enqueue(t.Context(), &driver.EnqueueRequest{
					Session: on, Election: "e", Service: driver.Service{Name: "e", ID: fmt.Sprint(i)},
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			last := uint64(0)
			for i, on := range sessions {
				leader, err := other.GetLeader(t.Context(), &driver.GetLeaderRequest{Election: "e"})
				if err != nil || leader.Leader.Service.ID != fmt.Sprint(i) {
					t.Fatalf("candidate %d should lead, not %+v, %v", i, leader, err)
				}
				turn, err := b.AwaitTurn(t.Context(), &driver.AwaitTurnRequest{Session: on, Election: "e"})
				if err != nil || turn.Token <= last || turn.Token != leader.Leader.Token {
					t.Fatalf("the turn of %d is %+v after %d, %v", i, turn, last, err)
				}
				last = turn.Token
				for _, later := range sessions[i+1:] {
					_, err := b.Confirm(t.Context(), &driver.ConfirmRequest{Session: later, Election: "e", Token: last})
					if !errors.Is(err, driver.ErrNotLeader) {
						t.Errorf("one who waits is confirmed: %v", err)
					}
				}
				_, err = b.Withdraw(t.Context(), &driver.WithdrawRequest{Session: on, Election: "e"})
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestH30OneLeavesOneWakes: many wait, and the end of the leader makes one of them look.
func TestH30OneLeavesOneWakes(t *testing.T) {
	s := serve(t)
	b := s.backend()
	const n = 100
	turns := make(chan driver.SessionID, n)
	var sessions []driver.SessionID
	for range n {
		on := session(t, b)
		sessions = append(sessions, on)
		if _, err := b.Enqueue(t.Context(), &driver.EnqueueRequest{Session: on, Election: "e"}); err != nil {
			t.Fatal(err)
		}
	}
	var waiting atomic.Int32
	for _, on := range sessions {
		go func() {
			waiting.Add(1)
			if _, err := b.AwaitTurn(context.WithoutCancel(t.Context()), &driver.AwaitTurnRequest{Session: on, Election: "e"}); err == nil {
				turns <- on
			}
		}()
	}
	if first := <-turns; first != sessions[0] {
		t.Fatalf("%s comes before %s", first, sessions[0])
	}
	eventually(t, "all wait", func() bool {
		armed := 0
		s.do(func() {
			for c := range s.conns {
				for key := range c.watches {
					if key.kind == ofNode && strings.Contains(key.path, "/elections/") {
						armed++
					}
				}
			}
		})
		return armed >= n-1
	})
	lists := s.count(opGetChildren)
	if _, err := b.Withdraw(t.Context(), &driver.WithdrawRequest{Session: sessions[0], Election: "e"}); err != nil {
		t.Fatal(err)
	}
	if next := <-turns; next != sessions[1] {
		t.Errorf("%s comes after the first, want %s", next, sessions[1])
	}
	if woken := s.count(opGetChildren) - lists; woken > 2 {
		t.Errorf("%d have looked", woken)
	}
}

// TestH6CallsEndWithTheirContext: every request is swallowed in turn.
func TestH6CallsEndWithTheirContext(t *testing.T) {
	s := serve(t)
	b := s.backend(WithOperationTimeout(time.Hour))
	on, another := session(t, b), session(t, b)
	register(t, b, on, "1")
	if _, err := b.Enqueue(t.Context(), &driver.EnqueueRequest{Session: on, Election: "e"}); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func(context.Context) error{
		"OpenSession": func(ctx context.Context) error {
			_, err := b.OpenSession(ctx, &driver.OpenSessionRequest{})
			return err
		},
		"RenewSession": func(ctx context.Context) error {
			_, err := b.RenewSession(ctx, &driver.RenewSessionRequest{Session: on})
			return err
		},
		"Register": func(ctx context.Context) error {
			_, err := b.Register(ctx, &driver.RegisterRequest{Session: on, Instance: instance("2")})
			return err
		},
		"Restore": func(ctx context.Context) error {
			_, err := b.Restore(ctx, &driver.RestoreRequest{Session: on, Instance: instance("3")})
			return err
		},
		"Deregister": func(ctx context.Context) error {
			_, err := b.Deregister(ctx, &driver.DeregisterRequest{Name: "api", ID: "1", Owner: "me", Generation: 1})
			return err
		},
		"ListServices": func(ctx context.Context) error {
			_, err := b.ListServices(ctx, &driver.ListServicesRequest{Name: "api"})
			return err
		},
		"WatchService": func(ctx context.Context) error {
			_, err := b.OpenWatchService(ctx, &driver.WatchServiceRequest{Name: "api"})
			return err
		},
		"AwaitTurn": func(ctx context.Context) error {
			_, err := b.AwaitTurn(ctx, &driver.AwaitTurnRequest{Session: on, Election: "e"})
			return err
		},
		"Confirm": func(ctx context.Context) error {
			_, err := b.Confirm(ctx, &driver.ConfirmRequest{Session: on, Election: "e", Token: 1})
			return err
		},
		"CloseSession": func(ctx context.Context) error {
			_, err := b.CloseSession(ctx, &driver.CloseSessionRequest{Session: another})
			return err
		},
	}
	for name, call := range calls {
		for _, op := range []int32{opMulti, opGetData, opGetChildren, opDelete} {
			swallowed := make(chan struct{}, 100)
			s.act(func(got int32, _ string) stubAction {
				if got != op {
					return answer
				}
				swallowed <- struct{}{}
				return hang
			})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- call(ctx) }()
			select {
			case <-swallowed:
				cancel()
				select {
				case err := <-done:
					// What was swallowed may have been the cleaning up after a call before; then this one has succeeded.
					if err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("%s without an answer to %d: %v", name, op, err)
					}
				case <-time.After(10 * time.Second):
					t.Fatalf("%s does not end with its context, without an answer to %d", name, op)
				}
			case err := <-done: // it needs no such request, or the connection was not back yet
				t.Logf("%s ends without %d: %v", name, op, err)
			}
			cancel()
			s.act(nil)
			s.cut() // the requests that hang are answered by the end of the connection
		}
	}
}
