package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// listen has somebody listen who does with each connection what accept says.
func listen(t *testing.T, accept func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it binds a port of this machine
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = connection.Close() }) // the peer may have closed it
			accept(connection)
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-accepted })
	return listener.Addr().String()
}

// silent is the address of a server that accepts connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	return listen(t, func(net.Conn) {})
}

// refusing is an address at which nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it binds a port of this machine
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

// TestH25ServerThatNeverAnswers: a server that accepts and says nothing, wherever it is in the list, costs less than
// a session's timeout. Alone the vendor's client waits for six and two thirds of them.
func TestH25ServerThatNeverAnswers(t *testing.T) {
	s := serve(t)
	hung := silent(t)
	for i := range 6 { // the order is random
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			b, err := open(t.Context(), "test", hung+","+s.addr(), []Option{WithSessionTimeout(s.timeout)}, dial)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took >= s.timeout {
				t.Errorf("connected after %v, although a session lives for %v", took, s.timeout)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDialFails dials what cannot be worked with, and expects to be told why and in time.
func TestDialFails(t *testing.T) {
	locked := serve(t)
	locked.act(func(op int32, _ string) stubAction {
		if op == opAuth {
			return refuseIt
		}
		return answer
	})
	closing := listen(t, func(c net.Conn) { _ = c.Close() })
	babbling := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) })
	tests := []struct {
		name, addr string
		opts       []Option
		want       error
		text       string
	}{
		{"nobody there", refusing(t), nil, reception.ErrUnavailable, "connection refused"},
		{"silence", silent(t), nil, reception.ErrUnavailable, "no answer within 1s"},
		{"no majority", closing, nil, reception.ErrUnavailable, "authentication failed"},
		{"another server", babbling, nil, reception.ErrUnavailable, "no ZooKeeper server"},
		{"no such host", "reception.invalid:2181", nil, reception.ErrUnavailable, "reception.invalid"},
		{"credentials refused", locked.addr(), []Option{WithDigest("u", "p")}, reception.ErrPermission, "credentials"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			client, err := Dial(t.Context(), test.addr, append(test.opts, WithDialTimeout(time.Second))...)
			if err == nil {
				_ = client.Close() // the test fails anyway
			}
			if !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.text) {
				t.Errorf("got %v, want %q in it", err, test.text)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, silent(t), WithDialTimeout(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestAttemptsArePaced has a server close every connection: it is not to be overrun.
func TestAttemptsArePaced(t *testing.T) {
	accepted := make(chan struct{}, 1<<16)
	addr := listen(t, func(c net.Conn) { accepted <- struct{}{}; _ = c.Close() })
	if _, err := Dial(t.Context(), addr, WithDialTimeout(2*time.Second)); err == nil {
		t.Error("there is a session")
	}
	if n := len(accepted); n < 3 || n > 40 {
		t.Errorf("%d attempts in 2s", n)
	}
}

// TestH29ReplyToAuthIsLost: the connection ends before the client hears that its credentials were accepted. It sends
// them again, and nothing else before.
func TestH29ReplyToAuthIsLost(t *testing.T) {
	s := serve(t)
	lost := false
	early := false
	s.act(func(op int32, _ string) stubAction {
		switch {
		case op == opAuth && !lost:
			lost = true
			return loseReply
		case op != opAuth && op != opClose && s.count(opAuth) < 2:
			early = true
		}
		return answer
	})
	b := s.backend(WithDigest("u", "p"))
	if _, err := b.ListNames(t.Context(), &driver.ListNamesRequest{}); err != nil {
		t.Fatal(err)
	}
	if n := s.count(opAuth); n < 2 || early {
		t.Errorf("%d times the credentials were sent; something was sent before: %v", n, early)
	}
	s.cut()
	eventually(t, "they are sent on the next connection", func() bool { return s.count(opAuth) >= 3 })
}

// TestH29ManyEvents: the session's events come faster than they can be looked at, with a connection of the caller's,
// whose channel of events drops what it cannot hold.
func TestH29ManyEvents(t *testing.T) {
	s := serve(t)
	conn, events, err := zk.Connect([]string{s.addr()}, s.timeout, zk.WithLogInfo(false), zk.WithLogger(mute{}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b, err := over(conn, events, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for range 20 {
		s.cut()
	}
	if _, err := b.ListNames(t.Context(), &driver.ListNamesRequest{}); err != nil {
		t.Error(err)
	}
	if got := b.timeout(); got != s.timeout {
		t.Errorf("the session's timeout is taken to be %v, want %v", got, s.timeout)
	}
}

// mute is a logger of the vendor's that says nothing.
type mute struct{}

// Printf implements [zk.Logger].
func (mute) Printf(string, ...any) {}

// TestGrantedTimeoutCounts has the servers grant less than was asked for.
func TestGrantedTimeoutCounts(t *testing.T) {
	s := serve(t)
	b := s.backend(WithSessionTimeout(time.Minute))
	opened, err := b.OpenSession(t.Context(), &driver.OpenSessionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := b.RenewSession(t.Context(), &driver.RenewSessionRequest{Session: opened.Session})
	if err != nil || renewed.GoodFor != s.timeout || opened.TTL >= s.timeout || opened.Settle < s.timeout/4 {
		t.Errorf("%+v, then %+v, %v", opened, renewed, err)
	}
}

// TestCloseLeavesSessions closes a connection with a session that is open, and one without: only then the servers are
// told that it ends.
func TestCloseLeavesSessions(t *testing.T) {
	s := serve(t)
	for _, open := range []bool{true, false} {
		b := s.backend()
		on := session(t, b)
		if _, err := b.Register(t.Context(), &driver.RegisterRequest{Session: on, Instance: instance("1")}); err != nil {
			t.Fatal(err)
		}
		if !open {
			if _, err := b.CloseSession(t.Context(), &driver.CloseSessionRequest{Session: on}); err != nil {
				t.Fatal(err)
			}
		}
		before := s.count(opClose)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		told := s.count(opClose) > before
		if there := len(s.names("/reception/services/api")) > 0; there != open || told == open {
			t.Errorf("a session was open: %v; its record is there: %v; the servers were told: %v", open, there, told)
		}
		s.do(func() { s.end(s.session) })
	}
}

// TestCloseIsNotHeldUp closes clients whose servers do not confirm that, and cannot be reached: that is no failure.
func TestCloseIsNotHeldUp(t *testing.T) {
	s := serve(t)
	silent, cut := s.client(), s.client()
	s.act(func(op int32, _ string) stubAction {
		if op == opClose {
			return hang
		}
		return answer
	})
	if err := silent.Close(); err != nil {
		t.Errorf("servers that do not confirm it: %v", err)
	}
	_ = s.listener.Close() // which the stub does again
	s.cut()
	if err := cut.Close(); err != nil {
		t.Errorf("servers that cannot be reached: %v", err)
	}
}
