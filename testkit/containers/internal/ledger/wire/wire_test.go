package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func count(t *testing.T, protocol Protocol, sent []byte) (messages int, err error) {
	t.Helper()
	err = protocol(bytes.NewReader(sent), func() { messages++ })
	return messages, err
}

func TestGRPC(t *testing.T) {
	frame := func(kind byte, payload string) []byte {
		length := len(payload)
		head := []byte{byte(length >> 16), byte(length >> 8), byte(length), kind, 0, 0, 0, 0, 1}
		return append(head, payload...)
	}
	const data, headers, settings = 0, 1, 4
	sent := bytes.Join([][]byte{
		[]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		frame(settings, "......"),
		frame(headers, "a call"), frame(data, "its request"),
		frame(headers, "a watch"), frame(data, "one"), frame(data, strings.Repeat("another", 100)),
		frame(data, ""), // the end of a stream
	}, nil)
	if got, err := count(t, GRPC, sent); !errors.Is(err, io.EOF) || got != 3 {
		t.Errorf("%d messages, %v", got, err)
	}
	if got, err := count(t, GRPC, sent[:len(sent)-5]); !errors.Is(err, io.ErrUnexpectedEOF) || got != 3 {
		t.Errorf("cut off: %d messages, %v", got, err)
	}
	_, err := count(t, GRPC, []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	if err == nil || errors.Is(err, io.EOF) {
		t.Errorf("another protocol: %v", err)
	}
}

func TestZooKeeper(t *testing.T) {
	var sent []byte
	for _, packet := range []string{"connect", "ping", "get /a"} {
		sent = append(binary.BigEndian.AppendUint32(sent, uint32(len(packet))), packet...)
	}
	if got, err := count(t, ZooKeeper, sent); !errors.Is(err, io.EOF) || got != 3 {
		t.Errorf("%d messages, %v", got, err)
	}
}

// start returns a proxy before an HTTP server, and a client that uses it.
func start(t *testing.T) (*Proxy, func(method, body string) (string, error)) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(append([]byte("heard "), body...))
	}))
	t.Cleanup(server.Close)
	p, err := New(server.Listener.Addr().String(), HTTP)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	return p, func(method, body string) (string, error) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Addr(), strings.NewReader(body))
		if err != nil {
			return "", err
		}
		response, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		return string(answer), err
	}
}

func TestProxyCounts(t *testing.T) {
	t.Parallel()
	p, ask := start(t)
	for _, body := range []string{"", "something", "GET / HTTP/1.1\r\n\r\n"} {
		if answer, err := ask(http.MethodPut, body); err != nil || answer != "heard "+body {
			t.Fatalf("%q was answered with %q, %v", body, answer, err)
		}
	}
	before := p.Counts()
	if before.Requests != 3 || before.Connections != 1 || before.Sent < 100 || before.Received < 100 {
		t.Errorf("%+v", before)
	}
	if p.Open() != 1 {
		t.Errorf("%d connections are open", p.Open())
	}
	if _, err := ask(http.MethodGet, ""); err != nil {
		t.Fatal(err)
	}
	more := p.Counts().Since(before)
	if more.Requests != 1 || more.Connections != 0 || more.Sent < 20 || more.Received < 20 {
		t.Errorf("one request more: %+v", more)
	}
}

func TestProxyPoints(t *testing.T) {
	t.Parallel()
	p, ask := start(t)
	if _, err := ask(http.MethodGet, ""); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if answer, err := ask(http.MethodGet, ""); err == nil {
		t.Errorf("cut off, but answered with %q", answer)
	}
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	p.Point(other.Listener.Addr().String())
	if answer, err := ask(http.MethodGet, ""); err != nil || !strings.Contains(answer, "not found") {
		t.Errorf("the other server answers %q, %v", answer, err)
	}
}

// TestProxyRefusesOtherProtocols is for figures: better none than a wrong one.
func TestProxyRefusesOtherProtocols(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("no HTTP at all\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection was not closed: %v", err)
	}
}
