package etcdtest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/go-reception/sdk/reception/driver"
)

// What the servers do not do when they are asked to is done in their place.

// leaseOf returns the lease that a session is.
func leaseOf(session driver.SessionID) (clientv3.LeaseID, error) {
	id, err := strconv.ParseUint(string(session), 16, 64)
	return clientv3.LeaseID(id), err
}

// expireLate has sessions outlive their time by late: an administrator renews each for as long after its owner last did.
func (s *stage) expireLate(late time.Duration) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	s.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(ttl / 6)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.prolong(ctx, late)
			case <-ctx.Done():
				return
			}
		}
	}()
}

// prolong renews the sessions whose owners have renewed them within that time.
func (s *stage) prolong(ctx context.Context, late time.Duration) {
	s.mu.Lock()
	connections := slices.Clone(s.connections)
	s.mu.Unlock()
	for _, c := range connections {
		c.mu.Lock()
		renewed := maps.Clone(c.renewed)
		c.mu.Unlock()
		for session, at := range renewed {
			if id, err := leaseOf(session); err == nil && time.Since(at) <= late {
				_, _ = s.admin.KeepAliveOnce(ctx, id) // one that has ended stays so
			}
		}
	}
}

// note notes when a session was certainly renewed by its owner.
func (c *connection) note(session driver.SessionID, sent time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.renewed[session] = sent
}

// RenewSession implements [driver.Backend].
func (c *connection) RenewSession(
	ctx context.Context, in *driver.RenewSessionRequest,
) (*driver.RenewSessionResponse, error) {
	sent := time.Now()
	renewed, err := c.Backend.RenewSession(ctx, in)
	if err == nil {
		c.note(in.Session, sent)
	}
	if errors.Is(err, driver.ErrSessionExpired) && c.hiding.Load() {
		return &driver.RenewSessionResponse{GoodFor: ttl}, nil
	}
	return renewed, err
}

// Confirm implements [driver.Backend].
func (c *connection) Confirm(ctx context.Context, in *driver.ConfirmRequest) (*driver.ConfirmResponse, error) {
	sent := time.Now()
	confirmed, err := c.Backend.Confirm(ctx, in)
	if err == nil {
		c.note(in.Session, sent)
	}
	return confirmed, err
}

// counts is the option of a connection that counts who is woken: a candidate that is reads its whole queue anew.
func (s *stage) counts() grpc.DialOption {
	return grpc.WithChainUnaryInterceptor(func(
		ctx context.Context, method string, in, out any, c *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		read, is := in.(*pb.RangeRequest)
		if is && read.GetLimit() == 0 && len(read.GetRangeEnd()) > 0 &&
			strings.HasPrefix(string(read.GetKey()), s.prefix+"/elections/") {
			s.woken.Add(1)
		}
		return call(ctx, method, in, out, c, opts...)
	})
}
