package etcdtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/backends/etcd"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// password is root's in these tests.
const password = "correct horse"

// TestCredentials dials a server that wants a password, with and without the right one, and with a user who may do less.
func TestCredentials(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t, containers.WithEtcdRootPassword(password))
	admin := openAs(t, server.Endpoints(), "root", password)
	ctx := t.Context()
	_, err := admin.UserAdd(ctx, "some", "where")
	ok(t, err)
	_, err = admin.RoleAdd(ctx, "some")
	ok(t, err)
	_, err = admin.RoleGrantPermission(ctx, "some", "/mine/", "/mine0", clientv3.PermissionType(clientv3.PermReadWrite))
	ok(t, err)
	_, err = admin.UserGrantRole(ctx, "some", "some")
	ok(t, err)

	for _, test := range []struct {
		name string
		opts []etcd.Option
		want error
		says string
	}{
		{name: "right", opts: []etcd.Option{etcd.WithCredentials("root", password)}},
		{name: "none", want: reception.ErrPermission, says: "user name is empty"},
		{
			name: "wrong password", opts: []etcd.Option{etcd.WithCredentials("root", "battery staple")},
			want: reception.ErrPermission, says: "wrong user or password",
		},
		{
			name: "wrong user", opts: []etcd.Option{etcd.WithCredentials("nobody", password)},
			want: reception.ErrPermission, says: "wrong user or password",
		},
		{
			name: "permitted", opts: []etcd.Option{etcd.WithCredentials("some", "where"), etcd.WithPrefix("/mine")},
		},
		{
			name: "not permitted", opts: []etcd.Option{etcd.WithCredentials("some", "where"), etcd.WithPrefix("/yours")},
			want: reception.ErrPermission, says: "permission denied",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := etcd.Dial(t.Context(), server.Endpoints()[0], test.opts...)
			if test.want != nil {
				if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("got %v, want %q in it", err, test.says)
				}
				return
			}
			ok(t, err)
			works(t, client)
			ok(t, client.Close())
		})
	}
}

// openAs makes the vendor's client for a user.
func openAs(tb testing.TB, endpoints []string, user, password string) *clientv3.Client {
	tb.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Username: user, Password: password})
	ok(tb, err)
	tb.Cleanup(func() { _ = client.Close() }) // whatever it says, there is nothing to be done
	return client
}

// works has a client do a little of everything.
func works(tb testing.TB, client reception.Client) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	ok(tb, client.Register(ctx, service("api", "1"), nil))
	states, err := client.NewWatcher("api").Start(ctx)
	ok(tb, err)
	healthy(tb, states, "1")
	ok(tb, client.Register(ctx, service("api", "2"), nil))
	healthy(tb, states, "1", "2")
	term, err := client.Campaign(ctx, "e", service("api", "1"))
	ok(tb, err)
	ok(tb, term.Verify(ctx))
	ok(tb, term.Resign(ctx))
	ok(tb, client.Deregister(ctx, service("api", "1")))
	ok(tb, client.Deregister(ctx, service("api", "2")))
	healthy(tb, states)
}

// TestH24TokenDiesWithServer: authentication tokens are lost with the server that has issued them.
func TestH24TokenDiesWithServer(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t, containers.WithEtcdRootPassword(password))
	// Passwords cost the server so much that it has to have some time for the renewals.
	client := dial(t, server.Endpoints(), etcd.WithCredentials("root", password), etcd.WithTTL(3*ttl))
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := client.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	start := server.Node(0).Stop(t)
	start()
	server.AwaitReady(t)
	eventually(t, back+grace, func() string { return "the client registers again" }, func() bool {
		return client.Register(t.Context(), service("api", "2"), nil) == nil
	})
	healthy(t, states, "1", "2")
	keeps(t, 5*ttl, func() string { return "a lease was not renewed" }, func() bool {
		got, err := ids(t.Context(), client, "api")
		return err != nil || len(got) == 2
	})
	works(t, dial(t, server.Endpoints(), etcd.WithCredentials("root", password), etcd.WithPrefix("/other")))
}

// TestH24TokenExpires: tokens live for a second, and nothing is asked for so long. Renewals, lists, registrations and the
// watch go on.
func TestH24TokenExpires(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t,
		containers.WithEtcdRootPassword(password), testcontainers.WithCmdArgs("--auth-token-ttl=1"))
	const rare = 9 * time.Second // a third of it is well above a token's life
	client := dial(t, server.Endpoints(), etcd.WithCredentials("root", password), etcd.WithTTL(rare),
		etcd.WithOperationTimeout(4*grace))
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := client.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	want := []string{"1"}
	for i := range 4 {
		time.Sleep(rare / 3) // nothing is asked in between but by the client itself
		id := fmt.Sprint("later-", i)
		want = append(want, id)
		ok(t, client.Register(t.Context(), service("api", id), nil))
		healthy(t, states, want...)
		if got, err := ids(t.Context(), client, "api"); err != nil || len(got) != len(want) {
			t.Errorf("the list is %q, %v", got, err)
		}
	}
}

// TestTLS dials servers that want a client's certificate.
func TestTLS(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t, containers.WithTLS())
	config := server.TLS(t)
	endpoint := server.Endpoints()[0]

	client, err := etcd.Dial(t.Context(), endpoint, etcd.WithTLS(config))
	ok(t, err)
	works(t, client)
	ok(t, client.Close())

	bare := &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, RootCAs: config.RootCAs, ServerName: config.ServerName}
	for _, test := range []struct {
		name, addr string
		opts       []etcd.Option
		says       string
	}{
		{name: "no TLS", addr: endpoint, says: "server preface"},
		{name: "no trust", addr: "https://" + endpoint, says: "unknown authority"},
		{name: "no certificate", addr: endpoint, opts: []etcd.Option{etcd.WithTLS(bare)}, says: "authentication handshake failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, err := etcd.Dial(t.Context(), test.addr, append(test.opts, etcd.WithDialTimeout(4*time.Second))...)
			if err == nil {
				ok(t, client.Close())
			}
			if !errors.Is(err, reception.ErrUnavailable) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q in it", err, test.says)
			}
		})
	}
}

// TestOneEndpointOfMany dials a list of which only one is a server.
func TestOneEndpointOfMany(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0") // accepts, and says nothing
	ok(t, err)
	t.Cleanup(func() { _ = listener.Close() }) // nobody else uses it
	server := shared(t)
	client, err := reception.Open(t.Context(),
		"etcd://127.0.0.1:1,"+listener.Addr().String()+","+server.Endpoints()[0]+"?prefix="+prefix(t))
	ok(t, err)
	works(t, client)
	ok(t, client.Close())
}

// TestH20ServersMinimum: servers whose least TTL is longer than the wanted one grant, and report, their own.
func TestH20ServersMinimum(t *testing.T) {
	t.Parallel()
	server := containers.StartEtcd(t, containers.WithEtcdTicks(200*time.Millisecond, 4*time.Second))
	said := &hazards.Lines{}
	client := dial(t, server.Endpoints(), etcd.WithTTL(2*time.Second), etcd.WithLogger(said))
	works(t, client)
	if !strings.Contains(said.Text(), "grants leases of 6s, not the 2s that were asked for") {
		t.Errorf("the log says %q", said.Text())
	}
}
