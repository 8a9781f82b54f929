package reception_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

// A scripted client campaigns as it is told to.
type scripted struct {
	reception.Client
	campaign func(ctx context.Context) (reception.Term, error)
	watcher  *stubWatcher // nil: the client's own
}

func (s *scripted) Campaign(ctx context.Context, _ string, _ *reception.Service) (reception.Term, error) {
	return s.campaign(ctx)
}

// A stubWatcher delivers what it is given, and lets the test step in as it starts.
type stubWatcher struct {
	reception.LeaderWatcher
	starting func()
	states   chan *reception.LeaderState
	starts   int
	stopped  bool
}

// A stubTerm is held until it lapses. Its context ends when the test says so.
type stubTerm struct {
	reception.Term
	token   uint64
	lapsed  atomic.Bool
	context context.Context
	end     context.CancelCauseFunc
}

func newStubTerm(token uint64) *stubTerm {
	t := &stubTerm{token: token}
	t.context, t.end = context.WithCancelCause(context.Background())
	return t
}

func (t *stubTerm) lapse()                       { t.lapsed.Store(true) }
func (t *stubTerm) Token() uint64                { return t.token }
func (t *stubTerm) Held() bool                   { return !t.lapsed.Load() }
func (t *stubTerm) Context() context.Context     { return t.context }
func (t *stubTerm) Resign(context.Context) error { return nil }

func (s *scripted) NewLeaderWatcher(name string) reception.LeaderWatcher {
	if s.watcher == nil {
		return s.Client.NewLeaderWatcher(name)
	}
	return s.watcher
}

func (w *stubWatcher) Start(context.Context) (<-chan *reception.LeaderState, error) {
	w.starting()
	return w.states, nil
}

func (w *stubWatcher) Stop() { w.stopped = true }

// TestElectWonWhileCanceled plays the interleaving that finish forbids: the campaign is won, and Cancel comes before
// the elector has the term.
func TestElectWonWhileCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		working := newClient(t, fake.NewCluster().Backend())
		var won reception.Term
		client := &scripted{Client: working}
		e := reception.NewElector(client, "reaper")
		client.campaign = func(context.Context) (reception.Term, error) {
			term, err := working.Campaign(context.Background(), "reaper", &reception.Service{Name: "w", ID: "1"})
			won = term
			e.Cancel()
			return term, err
		}
		if err := e.Elect(t.Context()); !errors.Is(err, reception.ErrElectionCanceled) {
			t.Errorf("got %v, want ErrElectionCanceled", err)
		}
		if won.Held() || e.IsLeader() {
			t.Error("leads, though it was told not to")
		}
		if _, err := working.Leader(t.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) {
			t.Errorf("a candidate is left behind: %v", err)
		}
	})
}

// TestElectCanceledWhileItStartsToWatch plays the interleaving that observe forbids: Cancel comes while the elector
// starts its leader watch, and so finds none to stop.
func TestElectCanceledWhileItStartsToWatch(t *testing.T) {
	client := &scripted{Client: newClient(t, fake.NewCluster().Backend()), watcher: &stubWatcher{}}
	e := reception.NewElector(client, "reaper")
	client.watcher.starting = e.Cancel
	client.campaign = func(ctx context.Context) (reception.Term, error) { return nil, ctx.Err() }
	if err := e.Elect(t.Context()); !errors.Is(err, reception.ErrElectionCanceled) {
		t.Errorf("got %v, want ErrElectionCanceled", err)
	}
	if !client.watcher.stopped {
		t.Error("the leader watch goes on after Cancel")
	}
}

// TestElectorOverOtherClients checks what the elector makes of a client that is not ours: bare errors of the context, and
// tokens that are left out.
func TestElectorOverOtherClients(t *testing.T) {
	states := make(chan *reception.LeaderState, 1)
	client := &scripted{watcher: &stubWatcher{starting: func() {}, states: states}}
	e := reception.NewElector(client, "reaper")
	ctx, cancel := context.WithCancel(t.Context())
	client.campaign = func(ctx context.Context) (reception.Term, error) {
		states <- &reception.LeaderState{Leader: &reception.Leader{Service: service("worker", "w2", 1)}}
		if got := e.Leader(); got == nil || got.ID != "w2" {
			t.Errorf("knows of leader %+v, want w2", got)
		}
		cancel()
		return nil, ctx.Err()
	}
	err := e.Elect(ctx)
	if !errors.Is(err, reception.ErrElectionCanceled) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrElectionCanceled and context.Canceled", err)
	}
	odd := errors.New("odd")
	client.campaign = func(context.Context) (reception.Term, error) { return nil, odd }
	if err := e.Elect(t.Context()); !errors.Is(err, odd) {
		t.Errorf("got %v, want the client's error", err)
	}
}

// TestElectWonBeforeTheLossWasNoticed plays the interleaving that ended minds: a term has lapsed, and the elector wins the
// next one before it hears of that. The loss is reported all the same, and Cancel hides that of the term that it gives up
// and no other.
func TestElectWonBeforeTheLossWasNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &scripted{Client: newClient(t, fake.NewCluster().Backend())}
		var calls []error
		e := reception.NewElector(client, "reaper",
			reception.WithDisconnectionCallback(func(err error) { calls = append(calls, err) }))
		terms := []*stubTerm{newStubTerm(1), newStubTerm(2)}
		for _, term := range terms {
			client.campaign = func(context.Context) (reception.Term, error) { return term, nil }
			elect(t, e)
			if e.Term() != reception.Term(term) {
				t.Fatalf("the term is %v, want that of token %d", e.Term(), term.token)
			}
			term.lapse() // its context is going to say so
		}
		lost, givenUp := errors.New("lost"), errors.New("given up")
		e.Cancel()
		terms[1].end(givenUp)
		terms[0].end(lost)
		synctest.Wait()
		if len(calls) != 1 || !errors.Is(calls[0], lost) {
			t.Errorf("told of %v, want the loss of the first term, once", calls)
		}
	})
}

// TestElectCampaignPanics checks that a client that panics does not block the elector for good.
func TestElectCampaignPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		working := newClient(t, fake.NewCluster().Backend())
		client := &scripted{Client: working, campaign: func(context.Context) (reception.Term, error) { panic("odd") }}
		e := reception.NewElector(client, "reaper")
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is swallowed")
				}
			}()
			_ = e.Elect(t.Context())
		}()
		e.Cancel()
		client.campaign = func(ctx context.Context) (reception.Term, error) {
			return working.Campaign(ctx, "reaper", &reception.Service{Name: "w", ID: "1"})
		}
		elect(t, e)
	})
}
