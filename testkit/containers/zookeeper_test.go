package containers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/testcontainers/testcontainers-go"
)

// zooKeeperClient returns a client that has a session.
func zooKeeperClient(t *testing.T, timeout time.Duration, servers ...string) (*zk.Conn, <-chan zk.Event) {
	t.Helper()
	conn, events, err := zk.Connect(servers, timeout, zk.WithLogger(silent{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	awaitState(t, events, zk.StateHasSession)
	return conn, events
}

func awaitState(t *testing.T, events <-chan zk.Event, want zk.State) {
	t.Helper()
	limit := time.After(serverLimit)
	for {
		select {
		case event := <-events:
			if event.State == want {
				return
			}
		case <-limit:
			t.Fatalf("no %s within %s", want, serverLimit)
		}
	}
}

func TestRunZooKeeper(t *testing.T) {
	needEngine(t, BackendZooKeeper, nil)
	c, err := RunZooKeeper(t.Context(), "",
		WithZooKeeperTicks(100*time.Millisecond, 2*time.Second, 3*time.Second), WithZooKeeperSuper("secret"))
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := c.ClientEndpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ asked, want time.Duration }{
		{100 * time.Millisecond, 2 * time.Second}, {2500 * time.Millisecond, 2500 * time.Millisecond}, {time.Hour, 3 * time.Second},
	} {
		conn, _ := zooKeeperClient(t, test.asked, endpoint)
		if got := grantedTimeout(within(t, serverLimit), t, endpoint, conn.SessionID()); got != test.want {
			t.Errorf("a session of %s is granted %s, want %s", test.asked, got, test.want)
		}
	}
	conn, _ := zooKeeperClient(t, 2*time.Second, endpoint)
	nobody := zk.DigestACL(zk.PermAll, "somebody", "else")
	if _, err := conn.Create("/locked", nil, 0, nobody); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Get("/locked"); !errors.Is(err, zk.ErrNoAuth) {
		t.Errorf("Get without rights = %v, want ErrNoAuth", err)
	}
	if err := conn.AddAuth("digest", []byte("super:secret")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Get("/locked"); err != nil {
		t.Errorf("Get as super user = %v", err)
	}
}

// grantedTimeout asks the server for the time-out of a session.
func grantedTimeout(ctx context.Context, t *testing.T, addr string, id int64) time.Duration {
	t.Helper()
	text, err := fourLetters(ctx, addr, "cons")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(fmt.Sprintf(`sid=%#x,.*?,to=(\d+),`, id)).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("no session %#x in:\n%s", id, text)
	}
	granted, err := time.ParseDuration(match[1] + "ms")
	if err != nil {
		t.Fatal(err)
	}
	return granted
}

func TestZooKeeperExpireSession(t *testing.T) {
	c := SharedZooKeeper(t)
	conn, events := zooKeeperClient(t, 10*time.Second, c.Endpoints()...)
	other, _ := zooKeeperClient(t, 10*time.Second, c.Endpoints()...)
	if _, err := conn.Create("/ephemeral", nil, zk.FlagEphemeral, zk.WorldACL(zk.PermAll)); err != nil {
		t.Fatal(err)
	}
	id := conn.SessionID()
	if ids := c.Sessions(t); !slices.Contains(ids, id) || !slices.Contains(ids, other.SessionID()) {
		t.Errorf("Sessions() = %x, want %x and %x among them", ids, id, other.SessionID())
	}
	c.ExpireSession(t, id)
	if there, _, err := other.Exists("/ephemeral"); err != nil || there {
		t.Errorf("the ephemeral node is there: %v, %v", there, err)
	}
	awaitState(t, events, zk.StateExpired)
	if slices.Contains(c.Sessions(t), id) {
		t.Error("the servers still know the session")
	}
}

// With only the link between a follower and the leader gone, the follower's
// clients keep theirs: that is how a client learns late that its session is lost.
func TestZooKeeperPartition(t *testing.T) {
	c := StartZooKeeper(t, WithNodes(3))
	leader, follower := c.Leader(t), c.Follower(t)
	conn, events := zooKeeperClient(t, 4*time.Second, c.Link().To(follower).Endpoints()...)
	if _, err := conn.Create("/mine", nil, zk.FlagEphemeral, zk.WorldACL(zk.PermAll)); err != nil {
		t.Fatal(err)
	}
	witness, _ := zooKeeperClient(t, 10*time.Second, c.Link().To(leader).Endpoints()...)
	undo := c.Partition(t, follower, leader)
	if _, _, err := conn.Get("/mine"); err != nil {
		t.Errorf("a read at the follower = %v; its client's link must be up", err)
	}
	eventually(t, serverLimit, func(context.Context) error {
		there, _, err := witness.Exists("/mine")
		if err == nil && there {
			err = errors.New("the leader has not ended the session")
		}
		return err
	})
	undo()
	awaitState(t, events, zk.StateExpired)
}
