package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/pkg/v3/logutil"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// Dial connects to a cluster of etcd and returns a Client. addr names one or more servers of it, separated by commas,
// each as host, host:port, or as a URL with the scheme http or https. Dial fails if none of them can be reached, or
// they refuse the credentials, within the dial timeout and before ctx ends.
func Dial(ctx context.Context, addr string, opts ...Option) (reception.Client, error) {
	s, err := makeSettings(opts)
	if err != nil {
		return nil, fmt.Errorf("etcd: Dial: %w", err)
	}
	b, err := dial(ctx, addr, s)
	if err != nil {
		return nil, fmt.Errorf("etcd: Dial: %w", err)
	}
	return reception.NewClient(b, reception.WithLogger(s.logger)), nil
}

// New returns a Client over an etcd client, which the caller closes, after this one. It does not wait for the servers.
func New(client *clientv3.Client, opts ...Option) (reception.Client, error) {
	b, err := over(client, opts)
	if err != nil {
		return nil, err
	}
	return reception.NewClient(b, reception.WithLogger(b.log)), nil
}

// NewBackend is New for those who make the Client themselves, because they want to give [reception.NewClient] options
// or the backend something around it.
func NewBackend(client *clientv3.Client, opts ...Option) (driver.Backend, error) {
	b, err := over(client, opts)
	if err != nil {
		return nil, err // and no backend that is a nil pointer
	}
	return b, nil
}

// over returns a backend over a client that the caller closes.
func over(client *clientv3.Client, opts []Option) (*backend, error) {
	s, err := makeSettings(opts)
	if err != nil {
		return nil, fmt.Errorf("etcd: New: %w", err)
	}
	if err := s.Connected(); err != nil {
		return nil, fmt.Errorf("etcd: New: %w", err)
	}
	if client == nil || client.ActiveConnection() == nil {
		return nil, errors.New("etcd: New: the client is nil, or has no connection")
	}
	return newBackend(client, s), nil
}

// dial connects to the servers and checks that they can be worked with.
func dial(ctx context.Context, addr string, s *settings) (*backend, error) {
	endpoints, secure, err := parseEndpoints(append([]string{addr}, s.endpoints...))
	if err != nil {
		return nil, err
	}
	config, err := s.config(endpoints, secure)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.dial, lateError(s.dial))
	defer cancel()
	if s.credentials {
		// The vendor's client authenticates before it can be asked why it cannot connect. So this is found out first.
		if err := reach(ctx, config); err != nil {
			return nil, err
		}
		config.Username, config.Password = s.user, s.password
	}
	client, err := open(ctx, config)
	if err != nil {
		return nil, explainDial(ctx, endpoints, err)
	}
	b := newBackend(client, s)
	b.own = true
	_, err = b.kv.Get(clientv3.WithRequireLeader(ctx), b.keys.services,
		clientv3.WithPrefix(), clientv3.WithLimit(1), clientv3.WithKeysOnly())
	if err != nil {
		_ = b.Close() // what is wrong was said already
		return nil, explainDial(ctx, endpoints, err)
	}
	return b, nil
}

// silent is a level that nothing the vendor's client logs reaches: what it has to say comes out as errors.
const silent = 5

// config is how the vendor's client is to connect.
func (s *settings) config(endpoints []string, secure bool) (clientv3.Config, error) {
	logger, err := logutil.CreateDefaultZapLogger(silent)
	if err != nil {
		return clientv3.Config{}, err
	}
	config := clientv3.Config{
		Endpoints: endpoints, TLS: s.tls, DialTimeout: s.dial, Logger: logger,
		// The least that servers and gRPC allow. It is what notices a connection that swallows everything.
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 5 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 250 * time.Millisecond,
			},
			MinConnectTimeout: 3 * time.Second,
		})},
	}
	if secure && config.TLS == nil {
		config.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return config, nil
}

// open makes the vendor's client. ctx bounds how long that takes and nothing else.
func open(ctx context.Context, config clientv3.Config) (*clientv3.Client, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, end)
	config.Context = life
	client, err := clientv3.New(config)
	if err == nil && !unhook() {
		_ = client.Close() // it was made for nobody
		err = ctx.Err()
	}
	if err != nil {
		end()
		return nil, err
	}
	return client, nil
}

// reach finds out whether a server answers at all.
func reach(ctx context.Context, config clientv3.Config) error {
	client, err := open(ctx, config)
	if err != nil {
		return err
	}
	_, err = newKV(client).Get(ctx, "/", clientv3.WithSerializable(), clientv3.WithKeysOnly())
	_ = client.Close() // it has served its purpose
	if err == nil || refused(err) {
		return nil
	}
	return explainDial(ctx, config.Endpoints, err)
}

// explainDial says what is wrong with the servers, or with how they were spoken to.
func explainDial(ctx context.Context, endpoints []string, err error) error {
	err = rpctypes.Error(err)
	if errors.Is(err, rpctypes.ErrAuthFailed) {
		return fmt.Errorf("%w: wrong user or password: %w", driver.ErrPermission, err)
	}
	if refused(err) {
		return fmt.Errorf("%w: %w", driver.ErrPermission, err)
	}
	if ctx.Err() != nil {
		end := context.Cause(ctx)
		if isEnd(err) {
			err = end
		} else {
			err = fmt.Errorf("%w: %w", end, err)
		}
	}
	return fmt.Errorf("%w: cannot work with %s: %w", driver.ErrUnavailable, strings.Join(endpoints, ", "), err)
}
