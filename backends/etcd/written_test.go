package etcd

import (
	"context"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/go-reception/sdk/reception/driver"
)

// TestRegisteredRecordIsNotReadAgain registers a record and watches it: the stream begins with what was written, and the
// server is asked for what has happened since. The next stream reads.
func TestRegisteredRecordIsNotReadAgain(t *testing.T) {
	const revision = 41
	asked := make(chan int64, 1)
	read := make(chan string, 1)
	s := serve(t, &stub{
		put: func(context.Context, *pb.PutRequest) (*pb.PutResponse, error) {
			return &pb.PutResponse{Header: &pb.ResponseHeader{Revision: revision}}, nil
		},
		get: func(_ context.Context, in *pb.RangeRequest) (*pb.RangeResponse, error) {
			read <- string(in.Key)
			return &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: revision + 9}}, nil
		},
		watch: func(stream pb.Watch_WatchServer) error {
			in, err := stream.Recv()
			if err != nil {
				return err
			}
			asked <- in.GetCreateRequest().GetStartRevision()
			header := &pb.ResponseHeader{Revision: revision}
			if err := stream.Send(&pb.WatchResponse{Header: header, Created: true}); err != nil {
				return err
			}
			deleted := &mvccpb.Event{Type: mvccpb.DELETE, Kv: &mvccpb.KeyValue{
				Key: in.GetCreateRequest().GetKey(), ModRevision: revision + 1,
			}}
			if err := stream.Send(&pb.WatchResponse{Header: header, Events: []*mvccpb.Event{deleted}}); err != nil {
				return err
			}
			<-stream.Context().Done()
			return nil
		},
	})
	b := s.backend(t)
	instance := driver.Instance{
		Service: driver.Service{Name: "api", ID: "1", Address: "10.0.0.1"}, Owner: "me", Generation: 3,
	}
	_, err := b.Register(t.Context(), &driver.RegisterRequest{Session: sessionOf(7), Instance: instance})
	if err != nil {
		t.Fatal(err)
	}
	request := &driver.WatchRegistrationRequest{Name: "api", ID: "1"}
	stream, err := b.OpenWatchRegistration(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	batch, err := stream.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !batch.Reset || batch.Cursor != revision || len(batch.Changes) != 1 || len(read) > 0 {
		t.Fatalf("the stream begins with %+v, and %d reads", batch, len(read))
	}
	got := batch.Changes[0].Record
	if got.Owner != "me" || got.Generation != 3 || got.Created != revision || got.Session != sessionOf(7) {
		t.Errorf("the record is %+v", got)
	}
	batch, err = stream.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if from := <-asked; from != revision+1 {
		t.Errorf("watched from revision %d, want %d", from, revision+1)
	}
	if batch.Reset || len(batch.Changes) != 1 || !batch.Changes[0].Deleted {
		t.Errorf("then comes %+v", batch)
	}

	again, err := b.OpenWatchRegistration(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if key := <-read; key != "/reception/services/api/1" {
		t.Errorf("the second stream reads %q", key)
	}
}
