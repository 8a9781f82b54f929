package etcd

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/go-reception/sdk/reception/driver"
)

// A historian is a server whose history has come as far as it says.
type historian struct {
	majority atomic.Int64 // what reads say
	told     atomic.Int64 // up to where it says that it has told its watches
	silent   atomic.Bool  // it says nothing about that
	stream   atomic.Pointer[pb.Watch_WatchServer]
}

// follows starts the server with its history at revision 10, and a feed that is to prove that it is current.
func (h *historian) follows(t *testing.T) *feed {
	t.Helper()
	h.majority.Store(10)
	h.told.Store(10)
	s := serve(t, &stub{
		get: func(context.Context, *pb.RangeRequest) (*pb.RangeResponse, error) {
			return &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: h.majority.Load()}}, nil
		},
		watch: h.watch,
	})
	b := s.backend(t, WithRefreshInterval(brief/3), WithOperationTimeout(10*brief))
	asked := time.Now()
	f := b.follow(b.services, "/k", true)
	t.Cleanup(f.close)
	first, err := f.next(t.Context())
	if err != nil || !first.reset || first.revision != 10 || first.proof.GoodFor != 2*brief/3 {
		t.Fatalf("the feed begins with %+v, %v", first, err)
	}
	if at := first.proof.Asked.Time(); at.Before(asked) || at.After(time.Now()) {
		t.Errorf("what there is was asked for at %v, between %v and now", at, asked)
	}
	return f
}

func (h *historian) watch(stream pb.Watch_WatchServer) error {
	for id := int64(0); ; {
		request, err := stream.Recv()
		if err != nil {
			return err // the client is done with it
		}
		response := &pb.WatchResponse{Header: &pb.ResponseHeader{Revision: h.told.Load()}}
		switch {
		case request.GetCreateRequest() != nil:
			response.WatchId, response.Created = id, true
			id++
			h.stream.Store(&stream)
		case request.GetProgressRequest() != nil && !h.silent.Load():
			response.WatchId = -1
		default:
			continue
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

// proof waits for the feed's next proof, which must come without a change.
func proof(t *testing.T, f *feed) driver.Proof {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*brief)
	defer cancel()
	u, err := f.next(ctx)
	if err != nil || u.reset || len(u.events) > 0 || u.proof.GoodFor == 0 {
		t.Fatalf("got %+v, %v; want a proof", u, err)
	}
	return u.proof
}

// TestProofs has nothing happen at all: the feed proves again and again that it knows.
func TestProofs(t *testing.T) {
	t.Parallel()
	f := new(historian).follows(t)
	last := time.Time{}
	for range 3 {
		p := proof(t, f)
		if at := p.Asked.Time(); !at.After(last) || at.After(time.Now()) {
			t.Errorf("a proof was asked for at %v, the one before at %v", at, last)
		}
		last = p.Asked.Time()
	}
}

// TestProofOfProgress has the server be behind a majority: what it says proves nothing before it has caught up.
func TestProofOfProgress(t *testing.T) {
	t.Parallel()
	h := new(historian)
	f := h.follows(t)
	proof(t, f)
	h.majority.Store(12)
	asked := time.Now()
	for f.beat.question.Load() == nil || f.beat.question.Load().revision < 12 {
		time.Sleep(brief / 100)
	}
	h.told.Store(11)
	ctx, cancel := context.WithTimeout(t.Context(), brief)
	defer cancel()
	for {
		u, err := f.next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil || u.proof.Asked.Time().After(asked) && u.revision < 12 {
			t.Fatalf("got %+v, %v from a server that is behind", u, err)
		}
	}
	h.told.Store(12)
	for {
		if p := proof(t, f); p.Asked.Time().After(asked) {
			break
		}
	}
}

// TestProofByEvent has the server say nothing about its progress: a change that is as late as the question answers it.
func TestProofByEvent(t *testing.T) {
	t.Parallel()
	h := new(historian)
	f := h.follows(t)
	h.silent.Store(true)
	h.majority.Store(12)
	for f.beat.question.Load() == nil || f.beat.question.Load().revision < 12 {
		time.Sleep(brief / 100)
	}
	for _, revision := range []int64{10, 11, 12} { // the first of them was told with what there is
		err := (*h.stream.Load()).Send(&pb.WatchResponse{
			Header: &pb.ResponseHeader{Revision: revision},
			Events: []*mvccpb.Event{{Kv: &mvccpb.KeyValue{Key: []byte("/k/1"), ModRevision: revision}}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*brief)
	defer cancel()
	for _, revision := range []int64{11, 12} {
		u, err := f.next(ctx)
		for err == nil && len(u.events) == 0 { // a proof from before
			u, err = f.next(ctx)
		}
		if err != nil || len(u.events) != 1 || u.revision != revision || (u.proof.GoodFor > 0) != (revision == 12) {
			t.Fatalf("got %+v, %v at revision %d", u, err, revision)
		}
	}
}

// TestMajorityGoesBack has a majority say that the history is shorter than it was: the servers have lost their data.
func TestMajorityGoesBack(t *testing.T) {
	t.Parallel()
	h := new(historian)
	f := h.follows(t)
	proof(t, f)
	h.majority.Store(3)
	ctx, cancel := context.WithTimeout(t.Context(), 20*brief)
	defer cancel()
	u, err := f.next(ctx)
	for err == nil {
		u, err = f.next(ctx)
	}
	if !errors.Is(err, driver.ErrUnavailable) || ctx.Err() != nil {
		t.Errorf("got %+v, %v", u, err)
	}
}
