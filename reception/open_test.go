package reception_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
)

// opened is what the scheme of these tests was last opened with; read is how it reads its parameters.
var opened struct {
	address *reception.Address
	read    func(*reception.Parameters) error
}

func init() {
	reception.RegisterScheme("test", func(_ context.Context, address *reception.Address) (reception.Client, error) {
		opened.address = address
		if opened.read != nil {
			return nil, opened.read(address.Parameters)
		}
		return nil, address.Parameters.Err()
	})
}

func TestOpenAddress(t *testing.T) {
	tests := []struct {
		address  string
		hosts    []string
		path     string
		user     string
		password string
		shown    string
	}{
		{"test://", nil, "", "", "", "test://"},
		{"TEST://localhost", []string{"localhost"}, "", "", "", "test://localhost"},
		{"test://localhost:8080/", []string{"localhost:8080"}, "/", "", "", "test://localhost:8080/"},
		{"test://a:1,b:2,c", []string{"a:1", "b:2", "c"}, "", "", "", "test://a:1,b:2,c"},
		{"test://[::1]:1,[fe80::1%25eth0]:2/p/q", []string{"[::1]:1", "[fe80::1%eth0]:2"}, "/p/q", "", "", ""},
		{"test://me:p%40ss%2Fword@a:1,b:2/p", []string{"a:1", "b:2"}, "/p", "me", "p@ss/word", "test://me@a:1,b:2/p"},
		{"test:///path%20only", nil, "/path only", "", "", "test:///path%20only"},
	}
	for _, test := range tests {
		t.Run(test.address, func(t *testing.T) {
			opened.address, opened.read = nil, nil
			if _, err := reception.Open(t.Context(), test.address); err != nil {
				t.Fatal(err)
			}
			a := opened.address
			if a.Scheme != "test" || !slices.Equal(a.Hosts, test.hosts) || a.Path != test.path {
				t.Errorf("got %q %q %q, want %q %q", a.Scheme, a.Hosts, a.Path, test.hosts, test.path)
			}
			user, password := "", ""
			if a.User != nil {
				user = a.User.Username()
				password, _ = a.User.Password()
			}
			if user != test.user || password != test.password {
				t.Errorf("got user %q and password %q, want %q and %q", user, password, test.user, test.password)
			}
			if test.shown != "" && a.String() != test.shown {
				t.Errorf("shown as %q, want %q", a, test.shown)
			}
		})
	}
}

// TestOpenErrors checks that a wrong address is refused with the help that is needed, and without the password in it.
func TestOpenErrors(t *testing.T) {
	tests := []struct {
		address string
		says    []string
	}{
		{"", []string{"scheme://"}},
		{"localhost:8080", []string{"scheme://"}},
		{"://localhost", []string{"scheme://"}},
		{"test:localhost", []string{"scheme://"}},
		{"te st://localhost", []string{"scheme://"}},
		{"test://localhost#fragment", []string{"scheme://"}},
		{"test://localhost#", []string{"scheme://"}},
		{"test://user:sec/ret@localhost", []string{"scheme://"}},
		{"test://user:%zz@localhost", []string{"scheme://"}},
		{"test://a,,b", []string{`"" is not a host`}},
		{"test://a:", []string{`"a:" is not a host`}},
		{"test://:1", []string{`":1" is not a host`}},
		{"test://a:x", []string{`"a:x" is not a host`}},
		{"test://a:65536", []string{`"a:65536" has no valid port`}},
		{"test://a b", []string{`"a b" is not a host`}},
		{"test://::1", []string{`"::1" is not a host`}},
		{"test://a?x=%zz", []string{"name=value"}},
		{"test://a?x=1;y=2", []string{"name=value"}},
		{"test://a?nope=secret", []string{`unknown parameter "nope"`, "known parameters: none"}},
		{"etcdd://a", []string{`unknown scheme "etcdd"`, "etcd", "fake", "test"}},
		{"etcd://a", []string{`import _ "github.com/go-reception/sdk/backends/etcd"`}},
		{"fake://?ttll=3s", []string{`unknown parameter "ttll"`, "known parameters: ttl"}},
	}
	for _, test := range tests {
		t.Run(test.address, func(t *testing.T) {
			opened.read = nil
			client, err := reception.Open(t.Context(), test.address)
			if err == nil || client != nil {
				t.Fatalf("got %v, %v; want an error", client, err)
			}
			for _, want := range append(test.says, "reception: Open") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, want it to say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "sec") {
				t.Errorf("the error gives a secret away: %q", err)
			}
		})
	}
}

func TestOpenKeepsError(t *testing.T) {
	odd := errors.New("odd")
	opened.read = func(*reception.Parameters) error { return odd }
	_, err := reception.Open(t.Context(), "test://me:secret@a/p?token=secret")
	if !errors.Is(err, odd) {
		t.Errorf("got %v, want the opener's error", err)
	}
	if want := "reception: Open test://me@a/p: odd"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestOpenFake(t *testing.T) {
	client, err := reception.Open(t.Context(), "fake://?ttl=3s")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

func TestParameters(t *testing.T) {
	type values struct {
		s string
		d time.Duration
		n int
		b bool
	}
	defaults := values{"default", time.Minute, 7, true}
	tests := []struct {
		query string
		want  values
		says  []string // nil: no error
	}{
		{"", defaults, nil},
		{"s=&n=0&b=false&d=0", values{"", 0, 0, false}, nil},
		{"s=a%26b+c&n=-3&b=true&d=1m30s", values{"a&b c", 90 * time.Second, -3, true}, nil},
		{"s=1&s=2", defaults, []string{`parameter "s" is given 2 times`}},
		{"d=15", defaults, []string{`parameter "d" must be a duration such as 15s or 500ms, got "15"`}},
		{"n=x", defaults, []string{`parameter "n" must be a number, got "x"`}},
		{"b=yes", defaults, []string{`parameter "b" must be true or false, got "yes"`}},
		{"S=1", defaults, []string{`unknown parameter "S"`}},
		{"y=1&x=1&n=x&d=1&d=2", defaults, []string{
			`parameter "n" must`, `"d" is given 2 times`, `unknown parameter "x"; unknown parameter "y"`,
			"known parameters: b, d, n, s",
		}},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			var got values
			opened.read = func(p *reception.Parameters) error {
				got = values{p.String("s", "default"), p.Duration("d", time.Minute), p.Int("n", 7), p.Bool("b", true)}
				return p.Err()
			}
			_, err := reception.Open(t.Context(), "test://?"+test.query)
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if test.says == nil && err != nil {
				t.Errorf("got %v", err)
			}
			for _, want := range test.says {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %v, want it to say %q", err, want)
				}
			}
		})
	}
}

func TestRegisterSchemePanics(t *testing.T) {
	opener := func(context.Context, *reception.Address) (reception.Client, error) { return nil, nil }
	for name, register := range map[string]func(){
		"twice":      func() { reception.RegisterScheme("test", opener) },
		"nil":        func() { reception.RegisterScheme("test-nil", nil) },
		"upper case": func() { reception.RegisterScheme("Test", opener) },
		"no scheme":  func() { reception.RegisterScheme("", opener) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			register()
		})
	}
	if got := reception.Schemes(); !slices.Equal(got, []string{"fake", "test"}) {
		t.Errorf("schemes are %v", got)
	}
}
