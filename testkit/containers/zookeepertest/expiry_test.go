package zookeepertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception"
)

// nodes are the names of the nodes of a test's service, read by conn.
func nodes(tb testing.TB, conn *zk.Conn) []string {
	tb.Helper()
	names, _, err := conn.Children(prefix(tb) + "/services/api")
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		tb.Fatal(err)
	}
	return names
}

// owner is the session of the servers that a node lives on.
func owner(tb testing.TB, conn *zk.Conn, path string) int64 {
	tb.Helper()
	there, stat, err := conn.Exists(path)
	ok(tb, err)
	if !there {
		tb.Fatalf("there is no %s", path)
	}
	return stat.EphemeralOwner
}

// TestExpiredSession is H14 and H27: the servers end the session that everything lives on. All of it comes back on the
// next one, and the watch goes on.
func TestExpiredSession(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	admin := open(t, server.Endpoints()...)
	var told recorder
	for _, id := range []string{"1", "2", "3"} {
		ok(t, client.Register(t.Context(), service("api", id), told.note))
	}
	states, err := client.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1", "2", "3")
	for range 3 {
		path := prefix(t) + "/services/api/"
		session := owner(t, admin, path+nodes(t, admin)[0])
		term, err := client.Campaign(t.Context(), "e", service("e", "1"))
		ok(t, err)
		server.ExpireSession(t, session)
		start := time.Now()
		select {
		case <-term.Context().Done():
			t.Logf("the term has ended %v after its session", time.Since(start))
		case <-time.After(ttl):
			t.Error("the term goes on without its session")
		}
		eventually(t, back+grace, func() string { return "all are back" }, func() bool {
			got, err := ids(t.Context(), other, "api")
			return err == nil && len(got) == 3
		})
		t.Logf("back %v after the session was ended", time.Since(start))
		for _, node := range nodes(t, admin) {
			if now := owner(t, admin, path+node); now == session || now == 0 {
				t.Errorf("%s lives on the session %#x", node, now)
			}
		}
	}
	ok(t, client.Register(t.Context(), service("api", "4"), nil))
	healthy(t, states, "1", "2", "3", "4")
	losses := slices.DeleteFunc(told.all(), func(err error) bool { return !errors.Is(err, reception.ErrSessionExpired) })
	if len(losses) != 9 {
		t.Errorf("the callbacks were told %v", told.all())
	}
}

// TestRemovedByOthers is H14: an administrator deletes nodes, and even their parents.
func TestRemovedByOthers(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	admin := open(t, server.Endpoints()...)
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := other.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	for _, what := range []string{"/services/api", "/services", "/sessions", ""} {
		for range 2 {
			before := nodes(t, admin)
			ok(t, deleteAll(admin, prefix(t)+what))
			start := time.Now()
			eventually(t, ttl/2+back+grace, func() string { return "it is back" }, func() bool {
				now := nodes(t, admin)
				return len(now) == 1 && (what == "/sessions" || !slices.Equal(now, before))
			})
			t.Logf("back %v after %q was deleted", time.Since(start), what)
		}
	}
	ok(t, client.Register(t.Context(), service("api", "2"), nil))
	healthy(t, states, "1", "2")
}

// TestDeposed is H14 for elections: an administrator deletes the leader's node.
func TestDeposed(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	admin := open(t, server.Endpoints()...)
	var last uint64
	for range 3 {
		r, err := start(t.Context(), client, other, "e")
		ok(t, err)
		if r.old.Token() <= last {
			t.Errorf("token %d follows %d", r.old.Token(), last)
		}
		eventually(t, grace, func() string { return "the other one queues" }, func() bool {
			names, _, err := admin.Children(prefix(t) + "/elections/e")
			return err == nil && len(names) == 2
		})
		ok(t, deleteAll(admin, prefix(t)+"/elections/e"))
		began := time.Now()
		select {
		case <-r.old.Context().Done():
		case <-time.After(time.Second + grace):
			t.Fatal("the term goes on")
		}
		t.Logf("the term has ended after %v", time.Since(began))
		next := <-r.won
		ok(t, next.err)
		last = next.term.Token()
		ok(t, next.term.Resign(t.Context()))
		r.cancel()
	}
}

// TestForeignNodes is H11 and part of H26: what others put among ours harms nobody.
func TestForeignNodes(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	admin := open(t, server.Endpoints()...)
	world := zk.WorldACL(zk.PermAll)
	for _, path := range []string{
		"/services/api/_c_x", "/services/api/1,", "/services/api/%zz", "/elections/e/_c_x", "/elections/e/_c_x-0000000000",
		"/elections/e/" + strings.Repeat("a", 26) + "-0000000000", "/elections/e/" + strings.Repeat("b", 26) + "--2147483648",
		"/elections/e/" + strings.Repeat("c", 26) + "-2147483647",
	} {
		ok(t, store(admin, prefix(t)+path, []byte("\x00{")))
	}
	_, err := admin.Create(prefix(t)+"/services/api/foreign", []byte(`{"address":"192.0.2.9"}`), zk.FlagEphemeral, world)
	ok(t, err)
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	sees(t, grace, other, "api", "foreign", "1")
	for range 2 {
		term, err := client.Campaign(t.Context(), "e", service("e", "1"))
		ok(t, err)
		ok(t, term.Verify(t.Context()))
		leader, err := other.Leader(t.Context(), "e")
		ok(t, err)
		if leader.Token != term.Token() {
			t.Errorf("the leader is %+v, want token %d", leader, term.Token())
		}
		ok(t, term.Resign(t.Context()))
	}
	ctx, cancel := context.WithTimeout(t.Context(), grace)
	defer cancel()
	if _, err := other.Leader(ctx, "e"); !errors.Is(err, reception.ErrNoLeader) {
		t.Errorf("Leader: %v", err)
	}
}
