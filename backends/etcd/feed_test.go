package etcd

import (
	"context"
	"errors"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/go-reception/sdk/reception/driver"
)

// TestH8FeedIsClosedEarly: a feed is closed, or its caller gives up, between its asking for a watch and the server's
// agreement. The server is told to end that watch, while another one on the same stream goes on.
func TestH8FeedIsClosedEarly(t *testing.T) {
	for name, leave := range map[string]func(f *feed, giveUp context.CancelFunc){
		"closed":   func(f *feed, _ context.CancelFunc) { f.close() },
		"given up": func(_ *feed, giveUp context.CancelFunc) { giveUp() },
	} {
		t.Run(name, func(t *testing.T) {
			asked, agree, ended := make(chan struct{}), make(chan struct{}), make(chan int64, 10)
			s := serve(t, &stub{
				get: func(context.Context, *pb.RangeRequest) (*pb.RangeResponse, error) {
					return &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: 10}}, nil
				},
				watch: func(stream pb.Watch_WatchServer) error { return slowWatches(stream, asked, agree, ended) },
			})
			b := s.backend(t, WithOperationTimeout(20*brief)) // before the first pulse
			stays, leaves := b.follow(b.records, "/stays", false), b.follow(b.records, "/leaves", false)
			t.Cleanup(stays.close)
			t.Cleanup(leaves.close)
			for _, f := range []*feed{stays, leaves} {
				if first, err := f.next(t.Context()); err != nil || !first.reset {
					t.Fatalf("the feed begins with %+v, %v", first, err)
				}
				ctx, giveUp := context.WithCancel(t.Context())
				over := make(chan error, 1)
				go func() {
					_, err := f.next(ctx)
					over <- err
				}()
				<-asked
				if f == leaves {
					leave(f, giveUp)
					if err := <-over; !errors.Is(err, context.Canceled) && !errors.Is(err, driver.ErrClosed) {
						t.Errorf("next: %v", err)
					}
				}
				agree <- struct{}{}
				t.Cleanup(giveUp)
			}
			select {
			case id := <-ended:
				if id != 1 {
					t.Errorf("watch %d is ended", id)
				}
			case <-time.After(20 * brief):
				t.Error("the watch that nobody wants goes on")
			}
		})
	}
}

// slowWatches agrees to watches, numbered from 0, when it is let.
func slowWatches(stream pb.Watch_WatchServer, asked, agree chan struct{}, ended chan<- int64) error {
	for id := int64(0); ; {
		request, err := stream.Recv()
		if err != nil {
			return err // the client is done with it
		}
		if cancel := request.GetCancelRequest(); cancel != nil {
			ended <- cancel.WatchId
			continue
		}
		asked <- struct{}{}
		<-agree
		response := &pb.WatchResponse{Header: &pb.ResponseHeader{Revision: 10}, WatchId: id, Created: true}
		if err := stream.Send(response); err != nil {
			return err
		}
		id++
	}
}
