package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// An oracle is an Exhibitor that answers what it is told to.
type oracle struct {
	*httptest.Server

	mu     sync.Mutex
	status int
	body   string
	asked  int
	accept string
}

func consult(t *testing.T, body string) *oracle {
	t.Helper()
	o := &oracle{body: body, status: http.StatusOK}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.asked++
		status, body := o.status, o.body
		o.accept = r.Header.Get("Accept")
		o.mu.Unlock()
		if r.URL.Path != exhibitorPath {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client that has gone does not matter
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *oracle) says(status int, body string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.status, o.body = status, body
}

func (o *oracle) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}

func listOf(addrs ...string) string {
	_, port, _ := net.SplitHostPort(addrs[0])
	var hosts []string
	for _, addr := range addrs {
		host, _, _ := net.SplitHostPort(addr)
		hosts = append(hosts, fmt.Sprintf("%q", host))
	}
	return fmt.Sprintf(`{"servers":[%s],"port":%s}`, strings.Join(hosts, ","), port)
}

func TestParseList(t *testing.T) {
	tests := []struct {
		body string
		want []string
		err  error
	}{
		{`{"servers":["a","b"],"port":2181}`, []string{"a:2181", "b:2181"}, nil},
		{"\n {\"port\":1,\"servers\":[\"::1\",\"a\",\"a\"]}\n", []string{"[::1]:1", "a:1"}, nil},
		{"count=2&server0=b&server1=a&port=2181", []string{"a:2181", "b:2181"}, nil},
		{`{"servers":[],"port":2181}`, nil, driver.ErrEmptyServerList},
		{`{"port":2181}`, nil, driver.ErrEmptyServerList},
		{"count=0&port=2181", nil, driver.ErrEmptyServerList},
		{"", nil, driver.ErrBadResponse},
		{"<html>", nil, driver.ErrBadResponse},
		{`{"servers":["a"]`, nil, driver.ErrBadResponse},
		{`{"servers":"a","port":2181}`, nil, driver.ErrBadResponse},
		{`{"servers":["a"]}`, nil, driver.ErrBadResponse},
		{`{"servers":["a"],"port":70000}`, nil, driver.ErrBadResponse},
		{`{"servers":[""],"port":2181}`, nil, driver.ErrBadResponse},
		{`{"servers":["a/b"],"port":2181}`, nil, driver.ErrBadResponse},
		{"count=1000000000&server0=a&port=2181", nil, driver.ErrBadResponse},
		{"count=-1&port=2181", nil, driver.ErrEmptyServerList},
		{"count=x&port=2181", nil, driver.ErrBadResponse},
	}
	for _, test := range tests {
		got, err := parseList([]byte(test.body))
		if !slices.Equal(got, test.want) || !errors.Is(err, test.err) {
			t.Errorf("%q is %q, %v; want %q, %v", test.body, got, err, test.want, test.err)
		}
	}
}

// TestH31DialExhibitorFails has the first answer be wrong.
func TestH31DialExhibitorFails(t *testing.T) {
	huge := consult(t, `{"servers":["`+strings.Repeat("a", exhibitorSize)+`"],"port":1}`)
	hanging := silent(t)
	tests := []struct {
		name, addr string
		want       error
	}{
		{"500", func() string { o := consult(t, ""); o.says(500, ""); return o.URL }(), reception.ErrBadResponse},
		{"empty", consult(t, `{"servers":[],"port":1}`).URL, reception.ErrEmptyServerList},
		{"malformed", consult(t, "{oh").URL, reception.ErrBadResponse},
		{"huge", huge.URL, reception.ErrBadResponse},
		{"never answers", hanging, reception.ErrUnavailable},
		{"nobody there", refusing(t), reception.ErrUnavailable},
		{"no servers there", consult(t, listOf(refusing(t))).URL, reception.ErrUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			client, err := DialExhibitor(t.Context(), test.addr, WithDialTimeout(time.Second))
			if err == nil {
				_ = client.Close() // the test fails anyway
			}
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if took := time.Since(start); took > exhibitorLimit+10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	for _, addr := range []string{"", ",", "ftp://a", "http://", "http://a?b"} {
		if _, err := DialExhibitor(t.Context(), addr); err == nil || !strings.Contains(err.Error(), "10.0.0.1:8080") {
			t.Errorf("%q: %v", addr, err)
		}
	}
	if _, err := DialExhibitor(t.Context(), "a", WithServers("b")); err == nil {
		t.Error("servers are taken beside Exhibitor's")
	}
	if _, err := Dial(t.Context(), "a", WithExhibitors("b")); err == nil {
		t.Error("Exhibitors are taken without asking them")
	}
}

// TestH31ListIsFollowed: the list changes, Exhibitor fails in every way, one of several is down; and the ensemble
// moves to another server, which is found.
func TestH31ListIsFollowed(t *testing.T) {
	old, next := serve(t), serve(t)
	o := consult(t, listOf(old.addr()))
	b, err := open(t.Context(), "test", refusing(t)+", "+o.URL+"/",
		[]Option{WithExhibitorInterval(20 * time.Millisecond), WithSessionTimeout(old.timeout)}, dialExhibitor)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	o.mu.Lock()
	if o.accept != "application/json" {
		t.Errorf("it was asked for %q", o.accept)
	}
	o.mu.Unlock()
	names := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := b.ListNames(ctx, &driver.ListNamesRequest{})
		return err
	}
	for _, trouble := range []struct {
		status int
		body   string
	}{{500, ""}, {200, "{oh"}, {200, `{"servers":[],"port":1}`}, {404, "no"}, {200, strings.Repeat("x", 2*exhibitorSize)}} {
		o.says(trouble.status, trouble.body)
		before := o.count()
		eventually(t, "it was asked again, twice", func() bool { return o.count() > before+1 })
		old.cut()
		if err := names(); err != nil {
			t.Errorf("with the answer %d %.20q the last good list is lost: %v", trouble.status, trouble.body, err)
		}
	}
	o.says(http.StatusOK, listOf(next.addr()))
	eventually(t, "the list has changed", func() bool { return b.own.hosts.String() == next.addr() })
	if err := old.listener.Close(); err != nil {
		t.Fatal(err)
	}
	old.cut()
	eventually(t, "the new server is used", func() bool { _ = names(); return next.count(opGetChildren) > 0 })
}
