package etcd

import (
	"context"
	"errors"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/go-reception/sdk/reception/driver"
)

// OpenSession implements [driver.Backend]. A session is a lease.
func (b *backend) OpenSession(
	ctx context.Context, in *driver.OpenSessionRequest,
) (*driver.OpenSessionResponse, error) {
	wanted := in.TTL
	if wanted <= 0 {
		wanted = b.settings.ttl
	}
	var granted *pb.LeaseGrantResponse
	err := b.write(ctx, func(ctx context.Context) (err error) {
		granted, err = b.lease.grant(ctx, seconds(wanted))
		return err
	})
	if err != nil {
		return nil, err
	}
	ttl := time.Duration(granted.GetTTL()) * time.Second
	if ttl != time.Duration(seconds(wanted))*time.Second {
		b.log.Printf("reception: etcd grants leases of %v, not the %v that were asked for", ttl, wanted)
	}
	every := ttl / 3
	if b.settings.refresh > 0 && in.TTL <= 0 {
		every = b.settings.refresh
	}
	return &driver.OpenSessionResponse{Session: sessionOf(granted.GetID()), TTL: ttl, RenewEvery: every}, nil
}

// seconds rounds up, because etcd counts in whole seconds.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// RenewSession implements [driver.Backend].
//
// The leader alone renews leases, and it counts the TTL from when it carries the renewal out, which is after its
// sending. One that has been succeeded without knowing cannot promise too much: it gives up when it has not heard from
// a majority for an election timeout, and its successor prolongs every lease by its TTL and an election timeout when it
// takes over.
func (b *backend) RenewSession(
	ctx context.Context, in *driver.RenewSessionRequest,
) (*driver.RenewSessionResponse, error) {
	goodFor, err := b.renew(ctx, in.Session)
	if err != nil {
		return nil, err
	}
	return &driver.RenewSessionResponse{GoodFor: goodFor}, nil
}

// renew keeps a session alive and returns for how long.
func (b *backend) renew(ctx context.Context, session driver.SessionID) (goodFor time.Duration, err error) {
	err = b.write(ctx, func(ctx context.Context) error {
		ttl, err := b.lease.renew(ctx, leaseOf(session))
		if err == nil && ttl <= 0 {
			err = rpctypes.ErrLeaseNotFound
		}
		goodFor = time.Duration(ttl) * time.Second
		return err
	})
	return goodFor, err
}

// CloseSession implements [driver.Backend].
func (b *backend) CloseSession(
	ctx context.Context, in *driver.CloseSessionRequest,
) (*driver.CloseSessionResponse, error) {
	err := b.write(ctx, func(ctx context.Context) error { return b.lease.revoke(ctx, leaseOf(in.Session)) })
	if err != nil && !errors.Is(err, driver.ErrSessionExpired) {
		return nil, err
	}
	return &driver.CloseSessionResponse{}, nil
}
