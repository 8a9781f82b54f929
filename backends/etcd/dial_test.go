package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
)

// TestDialFails dials what is no etcd, or not one that can be spoken to, and expects to be told why and in time.
func TestDialFails(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	plain := httptest.NewServer(handler)
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(handler)
	secure.EnableHTTP2 = true
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	tests := []struct {
		name, addr string
		opts       []Option
		want       string
	}{
		{name: "nobody there", addr: closedAddress(t), want: "connection refused"},
		{name: "nobody there, with a password", addr: closedAddress(t), opts: []Option{WithCredentials("u", "p")}, want: "connection refused"},
		{name: "silence", addr: silentAddress(t), want: "no answer within 2s"},
		{name: "another server", addr: plain.Listener.Addr().String(), want: "server preface"},
		{name: "TLS without saying so", addr: secure.Listener.Addr().String(), want: "server preface"},
		{name: "no trust", addr: secure.URL, want: "certificate signed by unknown authority"},
		{name: "no trust, with a password", addr: secure.URL, opts: []Option{WithCredentials("u", "p")}, want: "unknown authority"},
		{name: "no TLS there", addr: plain.Listener.Addr().String(), opts: []Option{WithTLS(&tls.Config{MinVersion: tls.VersionTLS12})}, want: "tls: first record does not look like a TLS handshake"},
		{name: "no such host", addr: "reception.invalid:2379", want: "reception.invalid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, err := Dial(t.Context(), test.addr, append(test.opts, WithDialTimeout(2*time.Second))...)
			if err == nil {
				_ = client.Close() // the test fails anyway
			}
			if !errors.Is(err, reception.ErrUnavailable) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, opt := range []Option{WithTTL(DefaultTTL), WithCredentials("u", "p")} {
		if _, err := Dial(ctx, silentAddress(t), opt, WithDialTimeout(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
}
