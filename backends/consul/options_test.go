package consul

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func TestChoiceOfChecks(t *testing.T) {
	for _, test := range []struct {
		name, environment string
		opts              []Option
		host              string // "": TTL checks
		illegal           bool
		problem           string
	}{
		{name: "nothing is known"},
		{name: "the environment says", environment: "10.0.0.7", host: "10.0.0.7"},
		{name: "the environment says nothing of use", environment: "0.0.0.0"},
		{name: "an option says", environment: "10.0.0.7", opts: []Option{WithHost("web.example.com")}, host: "web.example.com"},
		{name: "an IPv6 address", opts: []Option{WithHost("2001:db8::1")}, host: "2001:db8::1"},
		{name: "heartbeats are asked for", environment: "10.0.0.7", opts: []Option{WithTTLChecks()}},
		{name: "both are asked for", opts: []Option{WithTTLChecks(), WithHost("10.0.0.7")}, problem: "WithTTLChecks"},
		{name: "an empty host", opts: []Option{WithHost("")}, illegal: true},
		{name: "all addresses", opts: []Option{WithHost("0.0.0.0")}, illegal: true},
		{name: "all addresses, v6", opts: []Option{WithHost("::")}, illegal: true},
		{name: "a host with a port", opts: []Option{WithHost("10.0.0.7:80")}, illegal: true},
		{name: "a URL", opts: []Option{WithHost("http://web")}, illegal: true},
		{name: "a port without a host", opts: []Option{WithPort(80)}, illegal: true, problem: "WithPort"},
		{name: "a time-out without a host", opts: []Option{WithCheckTimeout(time.Second)}, illegal: true, problem: "WithCheckTimeout"},
		{name: "a time-out where the environment has a host", environment: "web", opts: []Option{WithCheckTimeout(time.Second)}, host: "web"},
		{name: "an interval without a host", opts: []Option{WithCheckInterval(time.Second)}},
		{name: "the old library's example", opts: []Option{WithCheckDeregisterTimeout(30 * time.Second)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("HOST", test.environment)
			s, err := makeSettings(test.opts)
			if errors.Is(err, driver.ErrIllegalHost) != test.illegal || (err != nil) != (test.illegal || test.problem != "") {
				t.Fatalf("the error is %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Errorf("the error does not name %s: %v", test.problem, err)
			}
			if err == nil && s.host != test.host {
				t.Errorf("the host is %q, want %q", s.host, test.host)
			}
		})
	}
}

func TestChoiceOfTimes(t *testing.T) {
	t.Setenv("HOST", "")
	for name, test := range map[string]struct {
		opts            []Option
		ttl, interval   time.Duration
		check, deadline time.Duration
	}{
		"defaults":             {nil, DefaultTTL, DefaultTTL / 3, 0, 0},
		"a rhythm":             {[]Option{WithCheckInterval(2 * time.Second)}, DefaultTTL, 2 * time.Second, 2 * time.Second, 0},
		"a slow rhythm":        {[]Option{WithCheckInterval(10 * time.Second)}, 30 * time.Second, 10 * time.Second, 10 * time.Second, 0},
		"a TTL":                {[]Option{WithTTL(3 * time.Second)}, 3 * time.Second, time.Second, 0, 0},
		"HTTP checks":          {[]Option{WithHost("web")}, DefaultTTL, DefaultTTL / 3, DefaultCheckInterval, DefaultCheckTimeout},
		"a hasty HTTP check":   {[]Option{WithHost("web"), WithCheckInterval(time.Millisecond)}, DefaultTTL, DefaultTTL / 3, time.Second, DefaultCheckTimeout},
		"a patient HTTP check": {[]Option{WithHost("web"), WithCheckTimeout(time.Minute)}, DefaultTTL, DefaultTTL / 3, DefaultCheckInterval, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := makeSettings(test.opts)
			if err != nil {
				t.Fatal(err)
			}
			if s.ttl != test.ttl || s.interval() != test.interval || s.checkInterval != test.check || s.checkTimeout != test.deadline {
				t.Errorf("ttl %v, renewed every %v, checked every %v within %v; want %v", s.ttl, s.interval(), s.checkInterval, s.checkTimeout, test)
			}
		})
	}
}

func TestBadOptions(t *testing.T) {
	t.Setenv("HOST", "")
	for name, opts := range map[string][]Option{
		"WithTTL":                    {WithTTL(time.Millisecond)},
		"WithLockDelay":              {WithLockDelay(999 * time.Millisecond)},
		"WithLockDelay(2m0s)":        {WithLockDelay(2 * time.Minute)},
		"WithPrefix":                 {WithPrefix("/prod")},
		`WithPrefix("")`:             {WithPrefix("")},
		"WithCheckInterval":          {WithTTL(2 * time.Second), WithCheckInterval(1500 * time.Millisecond)},
		"WithCheckDeregisterTimeout": {WithCheckDeregisterTimeout(0)},
		"WithOperationTimeout":       {WithOperationTimeout(-1)},
		"WithLogger":                 {WithLogger(nil)},
		"WithToken":                  {WithToken("")},
		"WithTLS":                    {WithTLS(nil)},
		"WithPort(70000)":            {WithHost("web"), WithPort(70000)},
	} {
		if _, err := makeSettings(opts); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	client, err := api.NewClient(&api.Config{Address: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(client, WithToken("secret")); err == nil || !strings.Contains(err.Error(), "WithToken") {
		t.Errorf("an option of Dial given to New: %v", err)
	}
	if _, err := New(nil); err == nil {
		t.Error("New takes nil")
	}
	if _, err := Dial(t.Context(), "10.0.0.1:8500,10.0.0.2:8500"); err == nil {
		t.Error("Dial takes two agents")
	}
	for _, addr := range []string{"", "ftp://a", "a/b", "user@a"} {
		if _, err := Dial(t.Context(), addr); err == nil {
			t.Errorf("Dial takes %q", addr)
		}
	}
	for _, address := range []string{
		"consul://", "consul://a,b", "consul://u:p@a", "consul://a/path", "consul://a?colour=red", "consul://a?ttl=x",
		"consul://a?cert=x", "consul://a?ca=/does/not/exist",
	} {
		if _, err := reception.Open(t.Context(), address); err == nil {
			t.Errorf("Open takes %q", address)
		}
	}
}
