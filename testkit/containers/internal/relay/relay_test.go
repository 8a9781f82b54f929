package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	quick = 5 * time.Second        // what must happen happens within this
	quiet = 200 * time.Millisecond // what must not happen is waited for this long
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that sends back what it gets, and tells when a connection to
// it has ended.
type echo struct {
	addr  string
	ended chan struct{}
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{addr: listener.Addr().String(), ended: make(chan struct{}, 100)}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
				e.ended <- struct{}{}
			}()
		}
	}()
	return e
}

// startRelay returns a relay in front of a server.
func startRelay(t *testing.T, server *echo) *Relay {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	if err := r.SetUpstream(server.addr); err != nil {
		t.Fatal(err)
	}
	return r
}

func connect(t *testing.T, r *Relay) net.Conn {
	t.Helper()
	conn, err := tryConnect(t, r)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func tryConnect(t *testing.T, r *Relay) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), quick)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.Addr())
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// roundTrip sends text and reads it back.
func roundTrip(conn net.Conn, text string, limit time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, text); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if !bytes.Equal(got, []byte(text)) {
		return errors.New("read something else: " + string(got))
	}
	return nil
}

// apply puts a fault on and returns its undoing, which fails the test on error.
func apply(t *testing.T, put func() (func() error, error)) func() {
	t.Helper()
	undo, err := put()
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := undo(); err != nil {
			t.Fatalf("undo: %v", err)
		}
	}
}

func TestForwardsToWhereTheServerIsNow(t *testing.T) {
	first, second := startEcho(t), startEcho(t)
	r := startRelay(t, first)
	conn := connect(t, r)
	if err := roundTrip(conn, "hello", quick); err != nil {
		t.Fatal(err)
	}
	if err := r.SetUpstream(""); err != nil {
		t.Fatal(err)
	}
	if _, err := tryConnect(t, r); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("connect to a server that is down = %v, want refused", err)
	}
	if err := roundTrip(conn, "hello", quick); err == nil {
		t.Fatal("the old connection still works")
	}
	if err := r.SetUpstream(second.addr); err != nil {
		t.Fatal(err)
	}
	if err := roundTrip(connect(t, r), "hello", quick); err != nil {
		t.Fatalf("after the server has moved: %v", err)
	}
}

func TestEndsOfConnectionsAreHandedOn(t *testing.T) {
	server := startEcho(t)
	conn := connect(t, startRelay(t, server))
	if err := roundTrip(conn, "hello", quick); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	select {
	case <-server.ended:
	case <-time.After(quick):
		t.Fatal("the server does not learn that its client has gone")
	}
}

func TestCutRefusesUntilEveryCutIsUndone(t *testing.T) {
	r := startRelay(t, startEcho(t))
	conn := connect(t, r)
	undoFirst := apply(t, r.Cut)
	undoSecond := apply(t, r.Cut)
	if err := roundTrip(conn, "hello", quick); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("over an open connection = %v, want that it is closed", err)
	}
	undoFirst()
	if _, err := tryConnect(t, r); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("connect = %v, want refused", err)
	}
	undoSecond()
	if err := roundTrip(connect(t, r), "hello", quick); err != nil {
		t.Fatalf("after undo: %v", err)
	}
}

func TestResetResetsIdleAndNewConnections(t *testing.T) {
	r := startRelay(t, startEcho(t))
	idle := connect(t, r)
	if err := roundTrip(idle, "hello", quick); err != nil {
		t.Fatal(err)
	}
	undo := apply(t, r.Reset)
	_ = idle.SetDeadline(time.Now().Add(quick))
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("read from an idle connection = %v, want reset", err)
	}
	if conn, err := tryConnect(t, r); err == nil {
		_ = conn.SetDeadline(time.Now().Add(quick))
		_, err = conn.Read(make([]byte, 1))
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("read from a new connection = %v, want reset", err)
		}
	}
	undo()
	if err := roundTrip(connect(t, r), "hello", quick); err != nil {
		t.Fatalf("after undo: %v", err)
	}
}

func TestBlackholeSwallowsEverything(t *testing.T) {
	server := startEcho(t)
	r := startRelay(t, server)
	before, closed := connect(t, r), connect(t, r)
	for _, conn := range []net.Conn{before, closed} {
		if err := roundTrip(conn, "hello", quick); err != nil {
			t.Fatal(err)
		}
	}
	undo := apply(t, r.Blackhole)
	_ = closed.Close()
	for name, conn := range map[string]net.Conn{"an old": before, "a new": connect(t, r)} {
		if err := roundTrip(conn, "hello", quiet); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("over %s connection = %v, want silence", name, err)
		}
	}
	select {
	case <-server.ended:
		t.Error("the server learns that a client has gone")
	default:
	}
	undo()
	if err := roundTrip(before, "hello", quick); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("over an old connection after undo = %v, want that it is reset", err)
	}
	if err := roundTrip(connect(t, r), "hello", quick); err != nil {
		t.Errorf("after undo: %v", err)
	}
}

func TestDelayHoldsBackBothWays(t *testing.T) {
	r := startRelay(t, startEcho(t))
	conn := connect(t, r)
	const latency = 50 * time.Millisecond
	undo := apply(t, func() (func() error, error) { return r.Delay(latency, 0) })
	begun := time.Now()
	if err := roundTrip(conn, "hello", quick); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < 2*latency {
		t.Errorf("a round trip took %s, want at least %s", took, 2*latency)
	}
	undo()
	if err := roundTrip(conn, "hello", quick); err != nil {
		t.Errorf("over the same connection after undo: %v", err)
	}
}

func TestThrottleLimitsTheRate(t *testing.T) {
	r := startRelay(t, startEcho(t))
	conn := connect(t, r)
	undo := apply(t, func() (func() error, error) { return r.Throttle(100_000) })
	begun := time.Now()
	if err := roundTrip(conn, string(make([]byte, 30_000)), quick); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < quiet {
		t.Errorf("30 kB at 100 kB/s took %s", took)
	}
	undo()
	if _, err := r.Throttle(10); err == nil {
		t.Error("Throttle(10) = nil, want an error: Toxiproxy would take it for nothing at all")
	}
}

// TestPortIsKept: a relay that refuses connections does not lose its port to another one, of another process either.
func TestPortIsKept(t *testing.T) {
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if _, kept := taken.Load(r.Addr()); !kept {
		t.Errorf("%s may be given to another relay", r.Addr())
	}
	if runtime.GOOS == "linux" {
		if claim, err := new(net.ListenConfig).Listen(t.Context(), "unix", claimPrefix+r.Addr()); err == nil {
			_ = claim.Close()
			t.Errorf("%s may be given to a relay of another process", r.Addr())
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, kept := taken.Load(r.Addr()); kept {
		t.Errorf("%s is not given back", r.Addr())
	}
}

// TestPortThatIsStillTaken has a listener on the relay's port linger for a moment, as in a process that is being started.
func TestPortThatIsStillTaken(t *testing.T) {
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	lingers, err := new(net.ListenConfig).Listen(t.Context(), "tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { _ = lingers.Close() })
	if err := r.SetUpstream("127.0.0.1:1"); err != nil {
		t.Error(err)
	}
}
