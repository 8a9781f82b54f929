package etcd

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/go-reception/sdk/reception/driver"
)

// watched starts a stub whose keys are at revision 10, and which answers watches as answer says, and a feed of it.
func watched(t *testing.T, answer func(created int, response *pb.WatchResponse) bool) *feed {
	t.Helper()
	var created atomic.Int64
	s := serve(t, &stub{
		get: func(context.Context, *pb.RangeRequest) (*pb.RangeResponse, error) {
			return &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: 10}}, nil
		},
		watch: func(stream pb.Watch_WatchServer) error {
			for {
				request, err := stream.Recv()
				if err != nil {
					return err // the client is done with it
				}
				if request.GetCreateRequest() == nil {
					continue
				}
				id := created.Add(1)
				response := &pb.WatchResponse{Header: &pb.ResponseHeader{Revision: 10}, WatchId: id, Created: true}
				if !answer(int(id), response) {
					continue
				}
				if err := stream.Send(response); err != nil {
					return err
				}
			}
		},
	})
	b := s.backend(t, WithRefreshInterval(brief/3), WithOperationTimeout(10*brief))
	f := b.follow(b.records, "/k", false)
	t.Cleanup(f.close)
	first, err := f.next(t.Context())
	if err != nil || !first.reset || first.revision != 10 {
		t.Fatalf("the feed begins with %+v, %v", first, err)
	}
	return f
}

// ends waits for the feed's end.
func ends(t *testing.T, f *feed, says string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*brief)
	defer cancel()
	u, err := f.next(ctx)
	if !errors.Is(err, driver.ErrUnavailable) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %+v, %v, want %q in it", u, err, says)
	}
	if _, again := f.next(ctx); !errors.Is(again, driver.ErrUnavailable) {
		t.Errorf("a feed that has ended goes on with %v", again)
	}
	if f.pulse.join() == f.beat {
		t.Error("the next feed shares the stream of the one that has ended")
	}
	f.pulse.leave()
}

// lasts checks that the feed does not end in the time of some beats.
func lasts(t *testing.T, f *feed) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*brief)
	defer cancel()
	if u, err := f.next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %+v, %v", u, err)
	}
}

func TestPulse(t *testing.T) {
	t.Parallel()
	lasts(t, watched(t, func(int, *pb.WatchResponse) bool { return true }))
}

// TestPulseStops has the server stop answering once the feed's own watch is there.
func TestPulseStops(t *testing.T) {
	t.Parallel()
	f := watched(t, func(created int, _ *pb.WatchResponse) bool { return created <= 2 })
	ends(t, f, "watches are not answered within")
}

// TestHistoryGoesBack has the server begin anew, as it does when it has lost its data.
func TestHistoryGoesBack(t *testing.T) {
	t.Parallel()
	f := watched(t, func(created int, r *pb.WatchResponse) bool {
		if created > 3 {
			r.Header.Revision = 2
		}
		return true
	})
	ends(t, f, "gone back from revision 10 to 2")
}

// TestServerCatchesUp has the server be behind for a moment, as it is when it has just started.
func TestServerCatchesUp(t *testing.T) {
	t.Parallel()
	lasts(t, watched(t, func(created int, r *pb.WatchResponse) bool {
		if created%2 == 0 {
			r.Header.Revision = 9
		}
		return true
	}))
}

// TestPulseOfTheRefused has the server refuse the watches that only feel the pulse.
func TestPulseOfTheRefused(t *testing.T) {
	t.Parallel()
	for reason, lasting := range map[string]bool{
		rpctypes.ErrPermissionDenied.Error():     true,
		rpctypes.ErrGRPCPermissionDenied.Error(): true,
		rpctypes.ErrInvalidAuthToken.Error():     false,
		rpctypes.ErrGRPCInvalidAuthToken.Error(): false,
	} {
		var own atomic.Bool // the feed's watch is there
		f := watched(t, func(created int, r *pb.WatchResponse) bool {
			if own.Load() {
				r.Canceled, r.CancelReason = true, reason
			}
			return true
		})
		if err := f.watch(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		own.Store(true)
		if lasting {
			lasts(t, f)
		} else {
			ends(t, f, "")
		}
	}
}

// TestPulseRests checks that nothing is asked while there is no feed.
func TestPulseRests(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	f := watched(t, func(int, *pb.WatchResponse) bool { asked.Add(1); return true })
	f.close()
	time.Sleep(brief / 2) // one may be under way
	before := asked.Load()
	time.Sleep(brief)
	if after := asked.Load(); after != before {
		t.Errorf("%d watches were opened while there was no feed", after-before)
	}
}
