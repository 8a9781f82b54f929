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
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
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

// TestH27ExpiredSession: the servers end the session that everything lives on. All of it comes back on the
// next one, and the watch goes on.
func TestH27ExpiredSession(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	admin := open(t, server.Endpoints()...)
	var told hazards.Recorder
	for _, id := range []string{"1", "2", "3"} {
		ok(t, client.Register(t.Context(), service("api", id), told.Note))
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
	losses := slices.DeleteFunc(told.All(), func(err error) bool { return !errors.Is(err, reception.ErrSessionExpired) })
	if len(losses) != 9 {
		t.Errorf("the callbacks were told %v", told.All())
	}
}

// TestH14ParentsDeleted: an administrator deletes not only nodes, but their parents, up to the prefix.
func TestH14ParentsDeleted(t *testing.T) {
	t.Parallel()
	server := shared(t)
	client, other := dial(t, server.Endpoints()), dial(t, server.Endpoints())
	admin := open(t, server.Endpoints()...)
	ok(t, client.Register(t.Context(), service("api", "1"), nil))
	states, err := other.NewWatcher("api").Start(t.Context())
	ok(t, err)
	healthy(t, states, "1")
	for _, what := range []string{"/services/api", "/services", "/holders", "/sessions", ""} {
		stays := what == "/sessions" || what == "/holders" // which the record itself does not hang on
		for range 2 {
			before := nodes(t, admin)
			ok(t, deleteAll(admin, prefix(t)+what))
			start := time.Now()
			eventually(t, ttl/2+back+grace, func() string { return "it is back" }, func() bool {
				now := nodes(t, admin)
				return len(now) == 1 && (stays || !slices.Equal(now, before))
			})
			t.Logf("back %v after %q was deleted", time.Since(start), what)
		}
	}
	ok(t, client.Register(t.Context(), service("api", "2"), nil))
	healthy(t, states, "1", "2")
}

// TestH26ForeignNodes: what others put among ours, protected-looking names and sequence numbers at both ends included, harms
// nobody.
func TestH26ForeignNodes(t *testing.T) {
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
