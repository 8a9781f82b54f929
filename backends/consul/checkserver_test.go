package consul

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// lines keeps what is logged.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Printf implements [reception.Logger].
func (l *lines) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.buf, format+"\n", args...)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func startCheckServer(t *testing.T, opts ...Option) *checkServer {
	t.Helper()
	s, err := makeSettings(append([]Option{WithHost("127.0.0.1")}, opts...))
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCheckServer(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.close() })
	return c
}

// ask asks for a session's health, as Consul does.
func ask(t *testing.T, url string) (code int) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode
}

// knock opens a connection.
func knock(t *testing.T, address string) (net.Conn, error) {
	t.Helper()
	return (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address)
}

func TestCheckServerAnswersForOpenSessions(t *testing.T) {
	log := &lines{}
	c := startCheckServer(t, WithLogger(log))
	a := c.expect("one")
	if code := ask(t, c.url("one")); code != http.StatusOK {
		t.Errorf("an open session: %d", code)
	}
	for _, path := range []string{"/health/two", "/health/", "/health", "/", "/one"} {
		if code := ask(t, "http://"+c.address+path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	a.stop()
	if code := ask(t, c.url("one")); code != http.StatusNotFound {
		t.Errorf("a session that is closed: %d", code)
	}
	if !strings.Contains(log.String(), `GET "/health/one" 200`) {
		t.Errorf("the access log is:\n%s", log)
	}
}

func TestCheckServerListensWhereItIsTold(t *testing.T) {
	c := startCheckServer(t)
	host, port, err := net.SplitHostPort(c.address)
	if err != nil || host != "127.0.0.1" {
		t.Fatalf("the address is %q, %v", c.address, err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		ip, _, err := net.ParseCIDR(address.String())
		if err != nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			continue
		}
		conn, err := knock(t, net.JoinHostPort(ip.String(), port))
		if err == nil {
			_ = conn.Close()
			t.Errorf("it listens on %s, too", ip)
		}
	}
	if err := c.close(); err != nil {
		t.Error(err)
	}
	if conn, err := knock(t, c.address); err == nil {
		_ = conn.Close()
		t.Error("it listens after it was closed")
	}
}

func TestCheckServerTellsSilence(t *testing.T) {
	c := startCheckServer(t, WithCheckDeregisterTimeout(50*time.Millisecond))
	a := c.expect("one")
	defer a.stop()
	if err := a.failed(); err != nil {
		t.Errorf("at once: %v", err)
	}
	eventually(t, "silence is told", func() bool { return errors.Is(a.failed(), driver.ErrNoConsulHealthCheck) })
	if c.trusted() {
		t.Error("a process that Consul does not reach is said to be reached")
	}
	if ask(t, c.url("one")); !c.trusted() {
		t.Error("a process that Consul reaches again is said not to be reached")
	}
}

// TestCheckServerTrustsTheLatest has somebody look at Consul, which then asks and is answered, before the look shows that
// it could not reach this process: it does now.
func TestCheckServerTrustsTheLatest(t *testing.T) {
	c := startCheckServer(t)
	defer c.expect("one").stop()
	begun := c.answered()
	ask(t, c.url("one"))
	if c.distrust(begun); !c.trusted() {
		t.Error("an answer counts less than what was seen before it")
	}
	if c.distrust(c.answered()); c.trusted() {
		t.Error("what was seen after the answers counts for nothing")
	}
}

func TestCheckServerThrowsOutTheSlow(t *testing.T) {
	// Somebody who sends a request so slowly that it is never complete is disconnected.
	c := startCheckServer(t)
	conn, err := knock(t, c.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /health/one HTTP/1.1\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(2 * checkTimeLimit))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("it waits for ever: %v", err)
	}
}
