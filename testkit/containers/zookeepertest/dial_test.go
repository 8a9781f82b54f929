package zookeepertest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/backends/zookeeper"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// TestDigest has two users: what one creates is its own, and the other is told so, by Dial and by every call, while its
// connection goes on to serve it where it may work.
func TestDigest(t *testing.T) {
	t.Parallel()
	server := shared(t)
	owner := dial(t, server.Endpoints(), zookeeper.WithDigest("owner", "right"))
	ok(t, owner.Register(t.Context(), service("api", "1"), nil))
	_, err := connect(t, server.Endpoints(), zookeeper.WithDigest("owner", "wrong"))
	if !errors.Is(err, reception.ErrPermission) || !errors.Is(err, zk.ErrNoAuth) {
		t.Errorf("Dial with a wrong password: %v", err)
	}
	again := dial(t, server.Endpoints(), zookeeper.WithDigest("owner", "right"))
	sees(t, grace, again, "api", "1")
	conn, events, err := zk.Connect(server.Endpoints(), ttl, zk.WithLogger(quiet{}), zk.WithLogInfo(false))
	ok(t, err)
	t.Cleanup(conn.Close)
	nobody, err := zookeeper.New(conn, events, zookeeper.WithPrefix(prefix(t)))
	ok(t, err)
	t.Cleanup(func() { _ = nobody.Close() }) // what it could not do it says elsewhere
	for what, call := range map[string]func(context.Context) error{
		"ListServices": func(ctx context.Context) error { _, err := nobody.ListServices(ctx, "api"); return err },
		"Register":     func(ctx context.Context) error { return nobody.Register(ctx, service("api", "2"), nil) },
		"Campaign":     func(ctx context.Context) error { _, err := nobody.Campaign(ctx, "e", service("e", "1")); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*ttl+grace)
		if err := call(ctx); !errors.Is(err, reception.ErrPermission) {
			t.Errorf("%s of another user: %v", what, err)
		}
		cancel()
	}
	path := prefix(t) + "-elsewhere"
	_, err = conn.Create(path, nil, 0, zk.WorldACL(zk.PermAll)) // the connection is not closed by refusals
	ok(t, err)
}

// TestReconnectsAuthenticated loses the connection of a user again and again.
func TestReconnectsAuthenticated(t *testing.T) {
	t.Parallel()
	server := shared(t)
	link := server.NewLink(t)
	client := dial(t, link.Endpoints(), zookeeper.WithDigest("owner", "right"))
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	for range 5 {
		link.Cut(t)()
		sees(t, 2*ttl+grace, client, "api", "1")
	}
}

// TestDialTellsWhy dials what cannot be worked with.
func TestDialTellsWhy(t *testing.T) {
	t.Parallel()
	cluster := containers.StartZooKeeper(t, containers.WithNodes(3))
	leader, follower := cluster.Leader(t), cluster.Follower(t)
	link := cluster.NewLink(t)
	for _, node := range []*containers.Node{leader, follower} {
		node.Stop(t)
	}
	start := time.Now()
	client, err := zookeeper.Dial(t.Context(), strings.Join(link.Endpoints(), ","), zookeeper.WithDialTimeout(ttl))
	if err == nil {
		_ = client.Close() // the test fails anyway
	}
	if !errors.Is(err, reception.ErrUnavailable) || !errors.Is(err, reception.ErrZkDisconnect) {
		t.Errorf("Dial without a majority: %v", err)
	}
	if took := time.Since(start); took > ttl+closing+grace {
		t.Errorf("it took %v", took)
	}
}

// closing is how long the end of a connection may take.
const closing = 2 * time.Second

// TestOpen opens addresses.
func TestOpen(t *testing.T) {
	t.Parallel()
	server := shared(t)
	endpoint := server.Endpoints()[0]
	e := exhibit(t, endpoint)
	for _, address := range []string{
		"zk://" + endpoint + "?timeout=4s&prefix=" + prefix(t),
		"zk://user:secret@" + endpoint + "/?operation-timeout=1s&prefix=" + prefix(t) + "-digest",
		"exhibitor://" + e.Addr() + "/?poll=1s&prefix=" + prefix(t),
	} {
		client, err := reception.Open(t.Context(), address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		ok(t, client.Register(t.Context(), service("api", "1"), nil))
		sees(t, grace, client, "api", "1")
		ok(t, client.Close())
	}
	for address, want := range map[string]string{
		"zk://" + endpoint + "/prod":            "prefix=/prod",
		"zk://" + endpoint + "?ttl=3s":          `unknown parameter "ttl"`,
		"zk://" + endpoint + "?prefix=prod":     "must begin with a slash",
		"zk://" + endpoint + "?prefix=/a/../b":  "no relative names",
		"zk://" + endpoint + "?timeout=1":       "a duration",
		"zk://":                                 "names no server",
		"zk://" + endpoint + "?poll=1s":         `unknown parameter "poll"`,
		"exhibitor://" + e.Addr() + "?poll=-1s": "must be positive",
	} {
		client, err := reception.Open(t.Context(), address)
		if err == nil {
			_ = client.Close() // the test fails anyway
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q in it", address, err, want)
		}
	}
}

// TestH31ExhibitorMoves: the ensemble moves behind an Exhibitor that fails in between.
func TestH31ExhibitorMoves(t *testing.T) {
	t.Parallel()
	server := shared(t)
	from, to := server.NewLink(t), server.NewLink(t)
	e := exhibit(t, from.Endpoints()[0])
	client, err := zookeeper.DialExhibitor(t.Context(), e.URL(), zookeeper.WithExhibitorInterval(100*time.Millisecond),
		zookeeper.WithPrefix(prefix(t)), zookeeper.WithSessionTimeout(ttl), zookeeper.WithDialTimeout(20*time.Second))
	ok(t, err)
	t.Cleanup(func() { _ = client.Close() }) // at the latest
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	other := dial(t, server.Endpoints())
	moved := exhibitAt(t, to.Endpoints()[0])
	e.SetServers(moved.port, moved.host)
	asked := e.Requests()
	eventually(t, grace, func() string { return "it is asked twice" }, func() bool { return e.Requests() > asked+1 })
	undo := from.Cut(t)
	defer undo()
	sees(t, 2*ttl+step+grace, other, "api", "1")
	eventually(t, 2*ttl+step+grace, func() string { return "the client works at the new address" }, func() bool {
		return client.Register(t.Context(), service("api", "2"), nil) == nil
	})
}
