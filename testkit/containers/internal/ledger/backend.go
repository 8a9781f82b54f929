package ledger

import (
	"context"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers/internal/ledger/wire"
)

// A Backend is a kind of server, and how both parties work with it.
type Backend struct {
	Name string
	// Start starts a server with no data.
	Start func(ctx context.Context) (Server, error)
	// SDK connects a client of the SDK.
	SDK func(ctx context.Context, server Server, way Way) (reception.Client, error)
	// Bare connects the vendor's client. It is nil for a backend that has none.
	Bare func(ctx context.Context, server Server, way Way) (Party, error)
	// Fill stores n instances of name for good, as fast as it can be done, in the form that the SDK stores them in.
	Fill func(ctx context.Context, server Server, name string, n int) error
	// LeadTTL is the time to live of candidates in the figures about elections.
	LeadTTL time.Duration
	// Protocol is what the parties speak; nil for one that speaks to nobody.
	Protocol wire.Protocol
}

// A Server is a running server.
type Server interface {
	// Addr is where it is.
	Addr() string
	// Versions says what it and the vendor's client are.
	Versions() map[string]string
	// Close removes it.
	Close() error
}

// Backends returns what there is to be measured, in the order in which it is.
func Backends() []Backend {
	return []Backend{fakeBackend, etcdBackend, zooKeeperBackend, consulBackend}
}
