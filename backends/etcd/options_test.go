package etcd

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestBadOptions(t *testing.T) {
	tests := []struct {
		name string
		opts []Option
		want string // in the error; empty for none
	}{
		{name: "none"},
		{name: "prefix", opts: []Option{WithPrefix("/prod/eu")}},
		{name: "root", opts: []Option{WithPrefix("/")}, want: `WithPrefix("/")`},
		{name: "empty prefix", opts: []Option{WithPrefix("")}, want: "must begin with a slash"},
		{name: "relative prefix", opts: []Option{WithPrefix("prod")}, want: "must begin with a slash"},
		{name: "prefix with a slash at its end", opts: []Option{WithPrefix("/prod/")}, want: "end with a slash"},
		{name: "prefix with two slashes", opts: []Option{WithPrefix("/a//b")}, want: "two in a row"},
		{name: "least TTL", opts: []Option{WithTTL(2 * time.Second)}},
		{name: "short TTL", opts: []Option{WithTTL(time.Second)}, want: "grants no less than 2s"},
		{name: "TTL of no whole seconds", opts: []Option{WithTTL(2500 * time.Millisecond)}, want: "whole seconds"},
		{name: "refresh", opts: []Option{WithTTL(4 * time.Second), WithRefreshInterval(2 * time.Second)}},
		{
			name: "refresh too rarely", opts: []Option{WithRefreshInterval(3 * time.Second), WithTTL(4 * time.Second)},
			want: "at most half of the TTL, which is 4s",
		},
		{name: "no refresh", opts: []Option{WithRefreshInterval(0)}, want: "WithRefreshInterval(0s): must be positive"},
		{name: "no relist", opts: []Option{WithRelistInterval(-1)}, want: "must be positive"},
		{name: "no operation timeout", opts: []Option{WithOperationTimeout(0)}, want: "must be positive"},
		{name: "no dial timeout", opts: []Option{WithDialTimeout(0)}, want: "must be positive"},
		{name: "nil logger", opts: []Option{WithLogger(nil)}, want: "NewNilLogger"},
		{name: "nil TLS", opts: []Option{WithTLS(nil)}, want: "WithTLS"},
		{name: "no password", opts: []Option{WithCredentials("root", "")}, want: "both a user and a password"},
		{name: "two", opts: []Option{WithPrefix("x"), WithTTL(0)}, want: "WithTTL(0s)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := makeSettings(test.opts)
			if got := message(err); (test.want == "") != (err == nil) || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestNewRefusesWhatTheClientSays(t *testing.T) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for want, opt := range map[string]Option{
		"WithEndpoints":   WithEndpoints("b:2379"),
		"WithCredentials": WithCredentials("user", "password"),
		"WithTLS":         WithTLS(&tls.Config{MinVersion: tls.VersionTLS13}),
		"WithDialTimeout": WithDialTimeout(time.Second),
	} {
		if _, err := New(client, opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: New returns %v", want, err)
		}
	}
	if _, err := New(client, WithTTL(0)); err == nil {
		t.Error("New takes a TTL of 0")
	}
	if _, err := New(nil); err == nil {
		t.Error("New takes no client")
	}
}
