package etcd

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-reception/sdk/reception/driver"
)

// TestAnswers has a server give each of its answers, to a write and to a read.
func TestAnswers(t *testing.T) {
	tests := []struct {
		answer, write, read error
	}{
		{rpctypes.ErrGRPCLeaseNotFound, driver.ErrSessionExpired, driver.ErrSessionExpired},
		{rpctypes.ErrGRPCPermissionDenied, driver.ErrPermission, driver.ErrPermission},
		{rpctypes.ErrGRPCUserEmpty, driver.ErrPermission, driver.ErrPermission},
		{rpctypes.ErrGRPCAuthFailed, driver.ErrPermission, driver.ErrPermission},
		{rpctypes.ErrGRPCNoSpace, driver.ErrUnavailable, driver.ErrUnavailable},
		{rpctypes.ErrGRPCRequestTooManyRequests, driver.ErrUnavailable, driver.ErrUnavailable},
		{rpctypes.ErrGRPCRequestTooLarge, driver.ErrUnavailable, driver.ErrUnavailable},
		{rpctypes.ErrGRPCTimeout, driver.ErrOutcomeUnknown, driver.ErrUnavailable},
		{rpctypes.ErrGRPCTimeoutDueToLeaderFail, driver.ErrOutcomeUnknown, driver.ErrUnavailable},
		{rpctypes.ErrGRPCLeaderChanged, driver.ErrOutcomeUnknown, driver.ErrUnavailable},
		{rpctypes.ErrGRPCStopped, driver.ErrOutcomeUnknown, driver.ErrUnavailable},
		{rpctypes.ErrGRPCCorrupt, driver.ErrOutcomeUnknown, driver.ErrUnavailable},
		{errors.New("raft: proposal dropped"), driver.ErrOutcomeUnknown, driver.ErrUnavailable},
	}
	for _, test := range tests {
		t.Run(test.answer.Error(), func(t *testing.T) {
			t.Parallel()
			s := serve(t, &stub{
				put: func(context.Context, *pb.PutRequest) (*pb.PutResponse, error) { return nil, test.answer },
				get: func(context.Context, *pb.RangeRequest) (*pb.RangeResponse, error) { return nil, test.answer },
			})
			b := s.backend(t, WithOperationTimeout(brief))
			for what, call := range map[string]struct {
				err  error
				want error
			}{
				"write": {register(t, b), test.write},
				"read":  {list(t, b), test.read},
			} {
				if !errors.Is(call.err, call.want) {
					t.Errorf("%s: got %v, want %v", what, call.err, call.want)
				}
				for _, other := range []error{
					driver.ErrSessionExpired, driver.ErrPermission, driver.ErrUnavailable, driver.ErrOutcomeUnknown, driver.ErrClosed,
				} {
					if other != call.want && errors.Is(call.err, other) { //nolint:errorlint // the sentinels themselves
						t.Errorf("%s: %v is %v as well", what, call.err, other)
					}
				}
			}
		})
	}
}

func register(t *testing.T, b *backend) error {
	t.Helper()
	_, err := b.Register(t.Context(), &driver.RegisterRequest{Session: "00000000000000ff"})
	return err
}

func list(t *testing.T, b *backend) error {
	t.Helper()
	_, err := b.ListServices(t.Context(), &driver.ListServicesRequest{Name: "api"})
	return err
}

// TestTheServersErrorIsThere checks that errors.Is finds what the vendor says.
func TestTheServersErrorIsThere(t *testing.T) {
	s := serve(t, &stub{
		put: func(context.Context, *pb.PutRequest) (*pb.PutResponse, error) { return nil, rpctypes.ErrGRPCTimeout },
	})
	if err := register(t, s.backend(t)); !errors.Is(err, rpctypes.ErrTimeout) {
		t.Errorf("got %v", err)
	}
}

// TestSomebodyElsesEnd has a request be ended by what is between this process and the server, long before its time is up:
// the error says that, and nothing of a time limit.
func TestSomebodyElsesEnd(t *testing.T) {
	reset := status.Error(codes.Canceled, "the proxy is restarting")
	s := serve(t, &stub{
		put: func(context.Context, *pb.PutRequest) (*pb.PutResponse, error) { return nil, reset },
		get: func(_ context.Context, in *pb.RangeRequest) (*pb.RangeResponse, error) {
			if strings.HasSuffix(string(in.GetKey()), "/api/") {
				return nil, reset
			}
			return &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: 7}}, nil
		},
		watch: func(stream pb.Watch_WatchServer) error {
			if _, err := stream.Recv(); err != nil {
				return err
			}
			return reset
		},
	})
	b := s.backend(t)
	stream, err := b.OpenWatchRegistration(t.Context(), &driver.WatchRegistrationRequest{Name: "api", ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for err == nil {
		_, err = stream.Next(t.Context())
	}
	for what, err := range map[string]error{"write": register(t, b), "read": list(t, b), "watch": err} {
		if !strings.Contains(err.Error(), "the proxy is restarting") || strings.Contains(err.Error(), "no answer") ||
			errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestNoLeaderIsNoDoubt checks what a server's refusal means that has lasted for the whole of the time limit.
func TestNoLeaderIsNoDoubt(t *testing.T) {
	c := call{ctx: t.Context(), closed: t.Context(), writes: true}
	err := c.failure(rpctypes.ErrGRPCNoLeader)
	if !errors.Is(err, driver.ErrUnavailable) || errors.Is(err, driver.ErrOutcomeUnknown) {
		t.Errorf("got %v", err)
	}
}

// TestNoLeader has a server refuse until it has a leader.
func TestNoLeader(t *testing.T) {
	s := &stub{}
	s.put = func(context.Context, *pb.PutRequest) (*pb.PutResponse, error) {
		if s.count() < 4 {
			return nil, rpctypes.ErrGRPCNoLeader
		}
		return &pb.PutResponse{Header: &pb.ResponseHeader{Revision: 7}}, nil
	}
	if err := register(t, serve(t, s).backend(t)); err != nil || s.asked != 4 {
		t.Errorf("after %d requests: %v", s.asked, err)
	}
}

// TestNoAnswer has requests end that were sent and are not answered: by the operation's time limit, by the caller's
// context, and by Close.
func TestNoAnswer(t *testing.T) {
	s := serve(t, &stub{
		put: func(ctx context.Context, _ *pb.PutRequest) (*pb.PutResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		get: func(ctx context.Context, _ *pb.RangeRequest) (*pb.RangeResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		keepAlive: func(stream pb.Lease_LeaseKeepAliveServer) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		},
	})
	operations := map[string]struct {
		writes bool
		call   func(context.Context, *backend) error
	}{
		"Register": {true, func(ctx context.Context, b *backend) error {
			_, err := b.Register(ctx, &driver.RegisterRequest{Session: "00000000000000ff"})
			return err
		}},
		"RenewSession": {true, func(ctx context.Context, b *backend) error {
			_, err := b.RenewSession(ctx, &driver.RenewSessionRequest{Session: "00000000000000ff"})
			return err
		}},
		"ListServices": {false, func(ctx context.Context, b *backend) error {
			_, err := b.ListServices(ctx, &driver.ListServicesRequest{Name: "api"})
			return err
		}},
		"OpenWatchService": {false, func(ctx context.Context, b *backend) error {
			_, err := b.OpenWatchService(ctx, &driver.WatchServiceRequest{Name: "api"})
			return err
		}},
		"AwaitTurn": {false, func(ctx context.Context, b *backend) error {
			_, err := b.AwaitTurn(ctx, &driver.AwaitTurnRequest{Session: "00000000000000ff", Election: "e"})
			return err
		}},
	}
	ends := map[string]struct {
		limit       time.Duration // of the operation
		end         func(cancel context.CancelFunc, b *backend)
		write, read error
	}{
		"limit":  {brief, func(context.CancelFunc, *backend) {}, driver.ErrOutcomeUnknown, driver.ErrUnavailable},
		"caller": {time.Hour, func(cancel context.CancelFunc, _ *backend) { cancel() }, driver.ErrOutcomeUnknown, context.Canceled},
		"Close":  {time.Hour, func(_ context.CancelFunc, b *backend) { _ = b.Close() }, driver.ErrOutcomeUnknown, driver.ErrClosed},
	}
	for name, operation := range operations {
		for what, end := range ends {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				b := s.backend(t, WithOperationTimeout(end.limit))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				timer := time.AfterFunc(brief/3, func() { end.end(cancel, b) })
				defer timer.Stop()
				err := operation.call(ctx, b)
				want := end.read
				if operation.writes {
					want = end.write
				}
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				if ctx.Err() == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("%v is an error of a context that has not ended", err)
				}
			})
		}
	}
}

// TestNeverSent has requests wait for a connection that does not come about: nothing was written, and the error says
// why.
func TestNeverSent(t *testing.T) {
	for what, addr := range map[string]string{"refused": closedAddress(t), "silent": silentAddress(t)} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := (&stub{addr: addr}).backend(t, WithOperationTimeout(brief))
			for name, err := range map[string]error{"Register": register(t, b), "ListServices": list(t, b)} {
				if !errors.Is(err, driver.ErrUnavailable) || errors.Is(err, driver.ErrOutcomeUnknown) {
					t.Errorf("%s: got %v", name, err)
				}
			}
			err := register(t, b)
			if what == "refused" && !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("%v does not say why", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), brief/3)
			defer cancel()
			_, err = b.OpenSession(ctx, &driver.OpenSessionRequest{})
			if !errors.Is(err, driver.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("OpenSession: got %v", err)
			}
		})
	}
}

func TestAfterClose(t *testing.T) {
	b := serve(t, &stub{}).backend(t)
	stream := b.follow(b.records, "k", false)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := stream.next(t.Context())
	stream.close()
	for what, err := range map[string]error{"write": register(t, b), "read": list(t, b), "stream": err} {
		if !errors.Is(err, driver.ErrClosed) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
