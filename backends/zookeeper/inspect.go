package zookeeper

import (
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

var _ driver.Inspector = (*backend)(nil)

// Inspect implements [driver.Inspector]. Each server is asked by the command srvr, which all allow unless they are told
// not to. The clock is that of the servers' leader, which shows in the node of a session that is opened for it; it is
// reported with every server.
func (b *backend) Inspect(ctx context.Context) ([]driver.Server, error) {
	clock := b.clock(ctx)
	addresses := []string{b.conn.Server()}
	connect := new(net.Dialer).DialContext
	if b.own != nil {
		addresses, connect = b.own.hosts.all(), b.own.connect
	}
	servers := make([]driver.Server, len(addresses))
	var asking sync.WaitGroup
	for i, address := range addresses {
		asking.Go(func() {
			limited, cancel := context.WithTimeout(ctx, b.settings.operation)
			defer cancel()
			servers[i] = describe(limited, address, connect)
			servers[i].Clock = clock
		})
	}
	asking.Wait()
	return servers, nil
}

// all lists the servers.
func (h *hosts) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(slices.Values(h.list))
}

// clock returns what the clock of the servers' leader shows; zero where that cannot be had.
func (b *backend) clock(ctx context.Context) time.Time {
	opened, err := b.OpenSession(ctx, &driver.OpenSessionRequest{})
	if err != nil {
		return time.Time{}
	}
	defer func() {
		_, _ = b.CloseSession(ctx, &driver.CloseSessionRequest{Session: opened.Session}) // or else it goes with the connection
	}()
	found, err := b.get(ctx, b.keys.session(markOf(opened.Session)))
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(found.stat.Ctime)
}

// What a server says to srvr.
var (
	versionLine = regexp.MustCompile(`(?m)^Zookeeper version: ([0-9A-Za-z.]+)`)
	modeLine    = regexp.MustCompile(`(?m)^Mode: (\S+)`)
)

// longestWord bounds what is read of an answer.
const longestWord = 64 << 10

// describe asks one server. The vendor's client does not understand the answer of servers from 3.6 on.
func describe(
	ctx context.Context, address string, connect func(ctx context.Context, network, address string) (net.Conn, error),
) driver.Server {
	answer, err := srvr(ctx, address, connect)
	if err != nil {
		return driver.Server{Address: address, Err: fmt.Errorf("%w: %w", driver.ErrUnavailable, err)}
	}
	server := driver.Server{Address: address}
	if found := versionLine.FindStringSubmatch(answer); found != nil {
		server.Version = found[1]
	}
	if found := modeLine.FindStringSubmatch(answer); found != nil {
		server.Role = found[1]
	}
	return server
}

// srvr sends the command srvr and returns the answer.
func srvr(
	ctx context.Context, address string, connect func(ctx context.Context, network, address string) (net.Conn, error),
) (string, error) {
	conn, err := connect(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()                                          //nolint:errcheck // it has served its purpose
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // whoever reads reports it
	if _, err := io.WriteString(conn, "srvr"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(io.LimitReader(conn, longestWord))
	return string(answer), err
}
