package etcd

import (
	"context"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
)

// An unsentError is that of a request that never left, because there was no connection that could have taken it. The
// vendor's client does not tell this from a request whose answer is late: both are the end of a context. So the error
// hides from that client that it has a status, and comes out at the other end as it is.
type unsentError struct{ text string }

func (e *unsentError) Error() string { return e.text }

// departure notes whether a request has left: then it knows to whom.
type departure struct{ to peer.Peer }

// note is the option that has gRPC fill it in.
func (d *departure) note(opts []grpc.CallOption) []grpc.CallOption {
	return append(slices.Clip(opts), grpc.Peer(&d.to))
}

// explain makes err an unsentError if the request has not left.
func (d *departure) explain(err error) error {
	if err == nil || d.to.Addr != nil {
		return err
	}
	return &unsentError{err.Error()}
}

// remoteKV is the vendor's client for keys, which tells requests that never left.
type remoteKV struct{ pb.KVClient }

// newKV returns what reads and writes keys over client's connection.
func newKV(client *clientv3.Client) clientv3.KV {
	return clientv3.NewKVFromKVClient(remoteKV{clientv3.RetryKVClient(client)}, client)
}

// Range implements [pb.KVClient].
func (r remoteKV) Range(ctx context.Context, in *pb.RangeRequest, opts ...grpc.CallOption) (*pb.RangeResponse, error) {
	var d departure
	response, err := r.KVClient.Range(ctx, in, d.note(opts)...)
	return response, d.explain(err)
}

// Put implements [pb.KVClient].
func (r remoteKV) Put(ctx context.Context, in *pb.PutRequest, opts ...grpc.CallOption) (*pb.PutResponse, error) {
	var d departure
	response, err := r.KVClient.Put(ctx, in, d.note(opts)...)
	return response, d.explain(err)
}

// DeleteRange implements [pb.KVClient].
func (r remoteKV) DeleteRange(
	ctx context.Context, in *pb.DeleteRangeRequest, opts ...grpc.CallOption,
) (*pb.DeleteRangeResponse, error) {
	var d departure
	response, err := r.KVClient.DeleteRange(ctx, in, d.note(opts)...)
	return response, d.explain(err)
}

// Txn implements [pb.KVClient].
func (r remoteKV) Txn(ctx context.Context, in *pb.TxnRequest, opts ...grpc.CallOption) (*pb.TxnResponse, error) {
	var d departure
	response, err := r.KVClient.Txn(ctx, in, d.note(opts)...)
	return response, d.explain(err)
}

// remoteLease asks for leases over the vendor's connection. It is not the vendor's Lease, whose KeepAlive counts from
// the arrival of answers, and whose KeepAliveOnce asks a server without a leader again and again without a pause.
type remoteLease struct{ client pb.LeaseClient }

func newLease(client *clientv3.Client) remoteLease {
	return remoteLease{clientv3.RetryLeaseClient(client)}
}

// grant asks for a lease of that many seconds.
func (r remoteLease) grant(ctx context.Context, seconds int64) (*pb.LeaseGrantResponse, error) {
	var d departure
	response, err := r.client.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: seconds}, d.note(waitForReady)...)
	return response, d.explain(err)
}

// revoke ends a lease and deletes what lives on it.
func (r remoteLease) revoke(ctx context.Context, id clientv3.LeaseID) error {
	var d departure
	_, err := r.client.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: int64(id)}, d.note(waitForReady)...)
	return d.explain(err)
}

// left returns how many seconds a lease has left; none if there is no such lease.
func (r remoteLease) left(ctx context.Context, id clientv3.LeaseID) (int64, error) {
	var d departure
	response, err := r.client.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: int64(id)}, d.note(waitForReady)...)
	if err != nil {
		return 0, d.explain(err)
	}
	return response.GetTTL(), nil
}

// renew keeps a lease alive and returns for how many seconds, counted from when its servers do; none if there is no
// such lease. Each renewal is a stream of its own, so that the next one goes to another server if this one is cut off.
func (r remoteLease) renew(ctx context.Context, id clientv3.LeaseID) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var d departure
	stream, err := r.client.LeaseKeepAlive(ctx, d.note(waitForReady)...)
	if err != nil {
		return 0, d.explain(err)
	}
	// What goes wrong with Send is told by Recv.
	_ = stream.Send(&pb.LeaseKeepAliveRequest{ID: int64(id)})
	response, err := stream.Recv()
	if err != nil {
		return 0, err
	}
	return response.GetTTL(), nil
}

// waitForReady is what the vendor's client does too: while there is no connection, requests wait for one.
var waitForReady = []grpc.CallOption{grpc.WaitForReady(true)}
