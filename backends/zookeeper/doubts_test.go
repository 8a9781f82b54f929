package zookeeper

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// TestSessionsThatWereNotOpened has sessions asked for while no server can be reached: as nothing was sent, nothing is to
// be discarded later, however long that lasts.
func TestSessionsThatWereNotOpened(t *testing.T) {
	s := serve(t)
	b := s.backend()
	_ = s.listener.Close() // the stub closes it again
	s.cut()
	eventually(t, "the connection is lost", func() bool { state, _ := b.link.state(); return !state.up })
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_, err := b.OpenSession(ctx, &driver.OpenSessionRequest{})
		cancel()
		if !errors.Is(err, driver.ErrUnavailable) || errors.Is(err, driver.ErrOutcomeUnknown) {
			t.Fatal(err)
		}
	}
	if n := b.mine.sessions(); n > 0 {
		t.Errorf("%d sessions are to be discarded", n)
	}
}

// TestWhatIsGivenUpIsNotSent has a request given up before it has begun: it must not come after what is sent later.
func TestWhatIsGivenUpIsNotSent(t *testing.T) {
	s := serve(t)
	b := s.backend()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sent := make(chan bool, 1)
	_, err := attempt(ctx, b, func(context.Context) (struct{}, error) {
		sent <- true
		return struct{}{}, nil
	})
	if !errors.Is(err, errGivenUp) {
		t.Error(err)
	}
	if err := b.Close(); err != nil { // it waits for what was begun
		t.Error(err)
	}
	select {
	case <-sent:
		t.Error("it was sent")
	default:
	}
}

// TestUnreadIsNotAbsent has reads given up half way: what was not asked for does not look as if it were not there.
func TestUnreadIsNotAbsent(t *testing.T) {
	s := serve(t)
	b := s.backend()
	register(t, b, session(t, b), "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	contents, err := b.fetch(ctx, b.keys.service("api"), s.names("/reception/services/api"))
	if !errors.Is(err, errGivenUp) {
		t.Errorf("%v, %v", contents, err)
	}
}

// TestQuietWatchIsKept has a watch look again many times while nothing changes. The vendor's client keeps every watch
// until it fires, so another one each time would add up.
func TestQuietWatchIsKept(t *testing.T) {
	s := serve(t)
	b := s.backend(WithRelistInterval(time.Millisecond))
	register(t, b, session(t, b), "1")
	stream, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	key := watchKey{ofChildren, "/reception/services/api"}
	first := b.watches.live(key).fires
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if batch, err := stream.Next(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%+v, %v", batch, err)
		}
	}()
	lists := s.count(opGetChildren)
	eventually(t, "it has looked again", func() bool { return s.count(opGetChildren) > lists+10 })
	if first == nil || b.watches.live(key).fires != first {
		t.Error("there is another watch, although nothing has fired the first one")
	}
	cancel()
	<-done
}

// TestRestoreAfterLossOfData has the servers lose their data and count from below again. Somebody registers the instance;
// who restores it yields, although the record had a higher rank than any that there is now.
func TestRestoreAfterLossOfData(t *testing.T) {
	s := serve(t)
	a, b := s.backend(), s.backend()
	s.do(func() { s.zxid = 1000 })
	register(t, a, session(t, a), "1")
	s.do(func() { s.nodes, s.zxid = map[string]*stubNode{"/": {}}, 0 })
	theirs := instance("1")
	theirs.Owner = "they"
	_, err := b.Register(t.Context(), &driver.RegisterRequest{Session: session(t, b), Instance: theirs})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Restore(t.Context(), &driver.RestoreRequest{Session: session(t, a), Instance: instance("1")})
	if !errors.Is(err, driver.ErrReplaced) {
		t.Errorf("Restore: %v", err)
	}
}

// TestRemovalSparesTheNext has an instance registered anew while its earlier record is being removed: what is known of the
// new one stays known, so that the end of the session removes it.
func TestRemovalSparesTheNext(t *testing.T) {
	p, key := newPossessions(), instanceKey{"api", "1"}
	p.open("mark")
	first := instanceAt{path: "/first", mark: "mark", owner: "me", claim: 1}
	p.sent("mark", first.path)
	p.wrote(key, first, instanceAt{})
	second := instanceAt{path: "/second", mark: "mark", owner: "me", claim: 2}
	p.sent("mark", second.path)
	p.wrote(key, second, first)
	p.removed(key, "me", first.path)
	if paths, _ := p.close("mark"); len(paths) != 1 || paths[0] != second.path || p.instance(key) != second {
		t.Errorf("known are %q and %+v", paths, p.instance(key))
	}
	p.removed(key, "me", second.path)
	if paths, _ := p.close("mark"); len(paths) > 0 || len(p.instances) > 0 {
		t.Errorf("known are %q and %+v", paths, p.instances)
	}
}

// TestServersLoseTheirData has the servers begin with nothing. They send away whom they are behind; the client gets through
// to them all the same, once its session cannot be there any more.
func TestServersLoseTheirData(t *testing.T) {
	s := serve(t)
	s.timeout = 2 * time.Second
	client := s.client()
	service := &reception.Service{Name: "api", ID: "1", Address: "192.0.2.1"}
	s.do(func() { s.zxid = 1000 })
	if err := client.Register(t.Context(), service, nil); err != nil {
		t.Fatal(err)
	}
	s.do(func() {
		for c := range s.conns {
			s.expired[c.session] = true
		}
		s.nodes, s.zxid = map[string]*stubNode{"/": {}}, 0
	})
	s.cut()
	eventually(t, "the instance is back", func() bool { return len(s.names("/reception/services/api")) == 1 })
}
