package backends

import (
	"context"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
)

// A ConsulConfigFunc is a [consul.Option].
type ConsulConfigFunc = consul.Option

// DialConsul is [consul.Dial].
func DialConsul(ctx context.Context, addr string, configs ...ConsulConfigFunc) (reception.Client, error) {
	return consul.Dial(ctx, addr, configs...)
}

// NewConsulClient is [consul.New].
func NewConsulClient(client *api.Client, configs ...ConsulConfigFunc) (reception.Client, error) {
	return consul.New(client, configs...)
}

// WithHost is [consul.WithHost].
func WithHost(host string) ConsulConfigFunc { return consul.WithHost(host) }

// WithPort is [consul.WithPort].
func WithPort(port int) ConsulConfigFunc { return consul.WithPort(port) }

// WithCheckTimeout is [consul.WithCheckTimeout].
func WithCheckTimeout(timeout time.Duration) ConsulConfigFunc {
	return consul.WithCheckTimeout(timeout)
}

// WithCheckInterval is [consul.WithCheckInterval].
func WithCheckInterval(interval time.Duration) ConsulConfigFunc {
	return consul.WithCheckInterval(interval)
}

// WithCheckDeregisterTimeout is [consul.WithCheckDeregisterTimeout].
func WithCheckDeregisterTimeout(timeout time.Duration) ConsulConfigFunc {
	return consul.WithCheckDeregisterTimeout(timeout)
}

// WithLogger is [consul.WithLogger].
func WithLogger(logger reception.Logger) ConsulConfigFunc { return consul.WithLogger(logger) }
