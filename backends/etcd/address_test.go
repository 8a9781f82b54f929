package etcd

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/go-reception/sdk/reception"
)

func TestEndpoints(t *testing.T) {
	tests := []struct {
		lists  []string
		want   []string
		secure bool
		err    string
	}{
		{lists: []string{"a"}, want: []string{"a:2379"}},
		{lists: []string{"a:1, b:2", "", "c:3"}, want: []string{"a:1", "b:2", "c:3"}},
		{lists: []string{"[::1]", "[::1]:1"}, want: []string{"[::1]:2379", "[::1]:1"}},
		{lists: []string{"http://a", "http://b:1/"}, want: []string{"http://a:2379", "http://b:1"}},
		{lists: []string{"https://a,b"}, want: []string{"https://a:2379", "b:2379"}, secure: true},
		{lists: []string{"https://a,http://b"}, err: "http:// and with https://"},
		{lists: []string{"", " , "}, err: "no server is named"},
		{lists: []string{"etcd://a:2379"}, err: "reception.Open takes etcd://"},
		{lists: []string{"a:b"}, err: "must look like"},
		{lists: []string{"user:password@a"}, err: "must look like"},
		{lists: []string{"etcd://user:password@a"}, err: "must look like"},
		{lists: []string{"http://a/path"}, err: "must look like"},
		{lists: []string{":2379"}, err: "must look like"},
	}
	for _, test := range tests {
		got, secure, err := parseEndpoints(test.lists)
		if !slices.Equal(got, test.want) || secure != test.secure || (test.err == "") != (err == nil) ||
			!strings.Contains(message(err), test.err) {
			t.Errorf("%q: got %q, %v, %v", test.lists, got, secure, err)
		}
		if strings.Contains(message(err), "password@") {
			t.Errorf("%q: the password is shown: %v", test.lists, err)
		}
	}
}

// TestAddresses opens addresses that are refused before anything is dialed.
func TestAddresses(t *testing.T) {
	tests := map[string]string{
		"etcd://a?ttl=1s":                   "grants no less than 2s",
		"etcd://a?prefix=prod":              "must begin with a slash",
		"etcd://a?refresh=0s":               "WithRefreshInterval(0s): must be positive",
		"etcd://a?ttl=4s&refresh=3s":        "at most half of the TTL",
		"etcd://a?tll=4s":                   `unknown parameter "tll"`,
		"etcd://a?tls=yes":                  "must be true or false",
		"etcd://a/prod":                     "as in ?prefix=/prod",
		"etcd://":                           "names no server",
		"etcd://user@a":                     "both a user and a password",
		"etcd://a?cert=x.pem":               "belong together",
		"etcd://a?ca=/does/not/exist":       `parameter "ca"`,
		"etcd://a?ca=/dev/null":             "there is no certificate",
		"etcd://a?cert=/dev/null&key=/a/b":  `parameters "cert" and "key"`,
		"etcd://a?prefix=/a&prefix=/b":      "given 2 times",
		"etcd://a?timeout=0s":               "WithOperationTimeout(0s)",
		"etcd://a?dial-timeout=0s":          "WithDialTimeout(0s)",
		"etcd://a?relist=0s":                "WithRelistInterval(0s)",
		"etcd://a?ttl=15&server-name=e.com": "must be a duration",
	}
	for address, want := range tests {
		if _, err := reception.Open(context.Background(), address); !strings.Contains(message(err), want) {
			t.Errorf("%s: got %v, want %q in it", address, err, want)
		}
	}
}
