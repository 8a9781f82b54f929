package etcd

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/logutil"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
)

// A stub is a server that answers as a test wants it to. What it is not told to answer it does not implement.
type stub struct {
	pb.UnimplementedKVServer
	pb.UnimplementedLeaseServer
	pb.UnimplementedWatchServer

	server *grpc.Server
	addr   string

	mu    sync.Mutex
	asked int

	get       func(context.Context, *pb.RangeRequest) (*pb.RangeResponse, error)
	put       func(context.Context, *pb.PutRequest) (*pb.PutResponse, error)
	txn       func(context.Context, *pb.TxnRequest) (*pb.TxnResponse, error)
	keepAlive func(pb.Lease_LeaseKeepAliveServer) error
	watch     func(pb.Watch_WatchServer) error
}

// serve starts a stub.
func serve(t *testing.T, s *stub) *stub {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it binds a port of this machine
	if err != nil {
		t.Fatal(err)
	}
	s.server, s.addr = grpc.NewServer(), listener.Addr().String()
	pb.RegisterKVServer(s.server, s)
	pb.RegisterLeaseServer(s.server, s)
	pb.RegisterWatchServer(s.server, s)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.server.Serve(listener) // ends with Stop
	}()
	t.Cleanup(func() { s.server.Stop(); <-served })
	return s
}

// backend connects to the stub.
func (s *stub) backend(t *testing.T, opts ...Option) *backend {
	t.Helper()
	logger, err := logutil.CreateDefaultZapLogger(silent)
	if err != nil {
		t.Fatal(err)
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{s.addr}, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	b, err := over(client, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// count counts requests.
func (s *stub) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.asked
}

// Range implements [pb.KVServer].
func (s *stub) Range(ctx context.Context, in *pb.RangeRequest) (*pb.RangeResponse, error) {
	if s.get == nil {
		return s.UnimplementedKVServer.Range(ctx, in)
	}
	return s.get(ctx, in)
}

// Put implements [pb.KVServer].
func (s *stub) Put(ctx context.Context, in *pb.PutRequest) (*pb.PutResponse, error) {
	if s.put == nil {
		return s.UnimplementedKVServer.Put(ctx, in)
	}
	return s.put(ctx, in)
}

// Txn implements [pb.KVServer].
func (s *stub) Txn(ctx context.Context, in *pb.TxnRequest) (*pb.TxnResponse, error) {
	if s.txn == nil {
		return s.UnimplementedKVServer.Txn(ctx, in)
	}
	return s.txn(ctx, in)
}

// LeaseKeepAlive implements [pb.LeaseServer].
func (s *stub) LeaseKeepAlive(stream pb.Lease_LeaseKeepAliveServer) error {
	if s.keepAlive == nil {
		return s.UnimplementedLeaseServer.LeaseKeepAlive(stream)
	}
	return s.keepAlive(stream)
}

// Watch implements [pb.WatchServer].
func (s *stub) Watch(stream pb.Watch_WatchServer) error {
	if s.watch == nil {
		return s.UnimplementedWatchServer.Watch(stream)
	}
	return s.watch(stream)
}

// silentAddress is that of a server that accepts connections and says nothing.
func silentAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it binds a port of this machine
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = connection.Close() }) // the peer may have closed it
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-accepted })
	return listener.Addr().String()
}

// closedAddress is one at which nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it binds a port of this machine
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return addr
}

// brief is long enough for a request to a stub.
const brief = 900 * time.Millisecond
