package fake_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// TestStorm lets processes register, watch and campaign while everything that can go wrong does, in virtual time, in
// which seeds give different interleavings, and in real time, for the race detector. When it is over, every reader
// knows what there is, nobody has been misled about a lead, and nothing hangs.
func TestStorm(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("virtual/%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { stormy(t, seed, time.Second, 200*time.Second) })
		})
	}
	t.Run("real", func(t *testing.T) { stormy(t, 0, 2*time.Millisecond, 500*time.Millisecond) })
}

// stormy lasts for a while; unit is about how long things take.
func stormy(t *testing.T, seed uint64, unit, lasts time.Duration) {
	t.Helper()
	c := fake.NewCluster(fake.WithTTL(10*unit), fake.WithHistory(1000), fake.WithWatchLog(8))
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	s := &storm{t: t, ctx: ctx, c: c, unit: unit}
	var running sync.WaitGroup
	for i := range uint64(4) {
		b := connect(t, c)
		rnd := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 10*i+n)) }
		running.Go(func() { s.registers(b, rnd(0)) })
		running.Go(func() { s.campaigns(b, rnd(1)) })
		running.Go(func() { s.meetsTrouble(b, rnd(2)) })
		running.Go(func() { s.watches(b) })
	}
	running.Wait()

	calm := connect(t, c)
	session := open(t, calm)
	last := register(t, calm, session, "last")
	list, err := calm.ListServices(t.Context(), &driver.ListServicesRequest{Name: "web"})
	if err != nil || list.Revision < last.Revision {
		t.Fatal(list, err)
	}
	fresh := mirror{}
	watched := watch(t, calm)
	fresh.apply(expectBatch(t, watched, true, len(list.Instances)))
	if want := sorted(list.Instances); fresh.String() != want {
		t.Errorf("watched %s, listed %s", fresh, want)
	}
	if s.terms == 0 || s.batches == 0 {
		t.Errorf("%d terms and %d batches: nothing has happened", s.terms, s.batches)
	}
}

type storm struct {
	t    *testing.T
	ctx  context.Context
	c    *fake.Cluster
	unit time.Duration

	mu      sync.Mutex
	terms   int
	batches int
	token   uint64
	life    int // counts wipes
}

func (s *storm) pause(rnd *rand.Rand) {
	select {
	case <-time.After(time.Duration(rnd.Int64N(int64(2 * s.unit)))):
	case <-s.ctx.Done():
	}
}

// short is the context of a call.
func (s *storm) short() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.ctx, 5*s.unit)
}

// session opens one, however often that takes.
func (s *storm) session(b *fake.Backend, rnd *rand.Rand) driver.SessionID {
	for s.ctx.Err() == nil {
		ctx, cancel := s.short()
		opened, err := b.OpenSession(ctx, &driver.OpenSessionRequest{})
		cancel()
		if err == nil {
			return opened.Session
		}
		s.pause(rnd)
	}
	return ""
}

func (s *storm) registers(b *fake.Backend, rnd *rand.Rand) {
	session := s.session(b, rnd)
	for s.ctx.Err() == nil {
		ctx, cancel := s.short()
		var err error
		switch i := instance(b, fmt.Sprint(rnd.IntN(6))); rnd.IntN(4) {
		case 0:
			_, err = b.Register(ctx, &driver.RegisterRequest{Session: session, Instance: i})
		case 1:
			_, err = b.Restore(ctx, &driver.RestoreRequest{Session: session, Instance: i})
		case 2:
			_, err = b.Deregister(ctx, &driver.DeregisterRequest{Name: "web", ID: i.Service.ID, Owner: i.Owner})
		case 3:
			_, err = b.RenewSession(ctx, &driver.RenewSessionRequest{Session: session})
		}
		cancel()
		if errors.Is(err, driver.ErrSessionExpired) {
			session = s.session(b, rnd)
		}
		s.pause(rnd)
	}
}

// campaigns checks that tokens grow within a life: one whose confirmation begins after another's has ended is not
// confirmed under a smaller one.
func (s *storm) campaigns(b *fake.Backend, rnd *rand.Rand) {
	for s.ctx.Err() == nil {
		session := s.session(b, rnd)
		ctx, cancel := s.short()
		if _, err := b.Enqueue(ctx, &driver.EnqueueRequest{Session: session, Election: "e"}); err == nil {
			if turn, err := b.AwaitTurn(ctx, &driver.AwaitTurnRequest{Session: session, Election: "e"}); err == nil {
				s.leads(ctx, b, session, turn.Token, rnd)
			}
		}
		cancel()
		s.pause(rnd)
	}
}

func (s *storm) leads(ctx context.Context, b *fake.Backend, session driver.SessionID, token uint64, rnd *rand.Rand) {
	s.mu.Lock()
	life, before := s.life, s.token
	s.mu.Unlock()
	_, err := b.Confirm(ctx, &driver.ConfirmRequest{Session: session, Election: "e", Token: token})
	s.mu.Lock()
	if err == nil && life == s.life {
		s.terms++
		if token < before {
			s.t.Errorf("token %d after %d", token, before)
		}
		s.token = max(s.token, token)
	}
	s.mu.Unlock()
	s.pause(rnd)
	_, _ = b.Withdraw(ctx, &driver.WithdrawRequest{Session: session, Election: "e"})
}

// watches follows the service over all that breaks its streams.
func (s *storm) watches(b *fake.Backend) {
	for s.ctx.Err() == nil {
		stream, err := b.OpenWatchService(s.ctx, &driver.WatchServiceRequest{Name: "web"})
		if err != nil {
			select {
			case <-time.After(s.unit):
			case <-s.ctx.Done():
			}
			continue
		}
		known := mirror{}
		for first := true; ; first = false {
			batch, err := stream.Next(s.ctx)
			if err != nil {
				break
			}
			if first && !batch.Reset {
				s.t.Error("the first batch is no reset")
			}
			known.apply(batch)
			s.mu.Lock()
			s.batches++
			s.mu.Unlock()
		}
		stream.Close()
	}
}

// meetsTrouble makes everything go wrong, one after the other, and in the end well again.
func (s *storm) meetsTrouble(b *fake.Backend, rnd *rand.Rand) {
	for s.ctx.Err() == nil {
		switch rnd.IntN(10) {
		case 0:
			b.Cut()
		case 1:
			b.Freeze()
		case 2:
			b.ExpireSessions()
		case 3:
			s.c.Compact()
		case 4:
			s.c.SetPropagation(time.Duration(rnd.IntN(2)) * s.unit)
		case 5:
			b.HideExpiry(rnd.IntN(2) == 0)
		case 6:
			s.c.ExpireLate(time.Duration(rnd.IntN(10)) * s.unit)
		case 7:
			if rnd.IntN(5) == 0 {
				s.wipe()
			}
		case 8:
			_, _ = s.c.Delete("candidate", "e", fmt.Sprintf("session-%d", 1+rnd.IntN(100)))
		case 9:
			ops := driver.Operations()
			op := ops[rnd.IntN(len(ops))]
			_, _ = b.Inject(fake.Fault{Operation: op.Name, Stage: fake.After, LoseReply: true})
		}
		s.pause(rnd)
		b.Heal()
		b.Thaw()
		s.pause(rnd)
	}
}

func (s *storm) wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.c.Wipe()
	s.life++
	s.token = 0
}

// mirror is what a reader knows.
type mirror map[string]*driver.Instance

func (m mirror) apply(batch *driver.Batch[driver.Instance]) {
	if batch.Reset {
		clear(m)
	}
	for _, change := range batch.Changes {
		if id := change.Record.Service.ID; change.Deleted {
			delete(m, id)
		} else {
			m[id] = change.Record
		}
	}
}

func (m mirror) String() string {
	var list []*driver.Instance
	for _, i := range m {
		list = append(list, i)
	}
	return sorted(list)
}

// sorted writes instances in the order of creation.
func sorted(list []*driver.Instance) string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *driver.Instance) int { return int(a.Created) - int(b.Created) })
	var b strings.Builder
	for _, i := range list {
		fmt.Fprintf(&b, "%s/%s/%d ", i.Service.ID, i.Owner, i.Created)
	}
	return b.String()
}

// Streams converge: whatever a reader has been through, once it is quiet it knows what there is.
func TestStreamsConverge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const readers = 50
		c := fake.NewCluster(fake.WithWatchLog(4))
		b, session := process(t, c)
		var mirrors [readers]mirror
		var streams [readers]driver.InstanceStream
		for i := range readers {
			mirrors[i], streams[i] = mirror{}, watch(t, b)
			delay := time.Duration(i) * time.Millisecond
			go func() {
				for batch, err := streams[i].Next(t.Context()); err == nil; batch, err = streams[i].Next(t.Context()) {
					mirrors[i].apply(batch)
					time.Sleep(delay) // from always ready to hopelessly slow
				}
			}()
		}
		for n := range 1000 {
			switch n % 7 {
			case 5:
				_, _ = c.Delete("instance", "web", fmt.Sprint(n%11))
			default:
				register(t, b, session, fmt.Sprint(n%13))
			}
			time.Sleep(time.Duration(n%3) * time.Millisecond)
		}
		time.Sleep(time.Second)
		list, err := b.ListServices(t.Context(), &driver.ListServicesRequest{Name: "web"})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for i, m := range mirrors {
			if got, want := m.String(), sorted(list.Instances); got != want {
				t.Errorf("reader %d knows %s, want %s", i, got, want)
			}
			streams[i].Close()
		}
	})
}
