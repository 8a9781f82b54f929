package backends_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-reception/sdk/backends"
	"github.com/go-reception/sdk/reception"
)

// The README of the library of 2018 begins like this, but for the contexts.
func Example() {
	ctx := context.Background()
	for _, dial := range []func() (reception.Client, error){
		func() (reception.Client, error) { return backends.DialConsul(ctx, "localhost:8500") },
		func() (reception.Client, error) { return backends.DialEtcd(ctx, "localhost:2379") },
		func() (reception.Client, error) { return backends.DialExhibitor(ctx, "localhost:8080/") },
		func() (reception.Client, error) { return backends.DialZk(ctx, "localhost:2181") },
		func() (reception.Client, error) {
			return backends.DialConsul(ctx,
				"localhost:8500",
				backends.WithCheckInterval(time.Second),
				backends.WithCheckTimeout(time.Second*5),
				backends.WithCheckDeregisterTimeout(time.Second*30),
			)
		},
	} {
		client, err := dial()
		if err != nil {
			continue // as long as nothing is there
		}
		_ = client.Close()
	}
}

// TestSchemes: who imports the package can open an address of any scheme of ours.
func TestSchemes(t *testing.T) {
	known := reception.Schemes()
	for _, scheme := range []string{"consul", "etcd", "exhibitor", "zk"} {
		if !slices.Contains(known, scheme) {
			t.Errorf("%q is not among the schemes %q", scheme, known)
		}
	}
}

// TestOptionsAreHeard: an option that is out of its range is an error of the function that it is given to, and nothing
// is dialled.
func TestOptionsAreHeard(t *testing.T) {
	ctx := t.Context()
	for name, dial := range map[string]func() (reception.Client, error){
		"consul: interval": func() (reception.Client, error) { return backends.DialConsul(ctx, "h", backends.WithCheckInterval(-1)) },
		"consul: timeout":  func() (reception.Client, error) { return backends.DialConsul(ctx, "h", backends.WithCheckTimeout(-1)) },
		"consul: deregister": func() (reception.Client, error) {
			return backends.DialConsul(ctx, "h", backends.WithCheckDeregisterTimeout(-1))
		},
		"consul: port": func() (reception.Client, error) {
			return backends.DialConsul(ctx, "h", backends.WithHost("h"), backends.WithPort(-1))
		},
		"consul: logger":    func() (reception.Client, error) { return backends.DialConsul(ctx, "h", backends.WithLogger(nil)) },
		"etcd: prefix":      func() (reception.Client, error) { return backends.DialEtcd(ctx, "h", backends.WithEtcdPrefix("//")) },
		"etcd: ttl":         func() (reception.Client, error) { return backends.DialEtcd(ctx, "h", backends.WithTTL(-1)) },
		"etcd: refresh":     func() (reception.Client, error) { return backends.DialEtcd(ctx, "h", backends.WithRefreshInterval(-1)) },
		"zk: prefix":        func() (reception.Client, error) { return backends.DialZk(ctx, "h", backends.WithZkPrefix("//")) },
		"exhibitor: prefix": func() (reception.Client, error) { return backends.DialExhibitor(ctx, "h", backends.WithZkPrefix("//")) },
	} {
		client, err := dial()
		if err == nil {
			t.Errorf("%s: no error", name)
			_ = client.Close()
			continue
		}
		if errors.Is(err, reception.ErrUnavailable) {
			t.Errorf("%s: somebody was dialled: %v", name, err)
		}
	}
}

// TestIllegalHost: a health check over HTTP needs a host that Consul can reach.
func TestIllegalHost(t *testing.T) {
	t.Setenv("HOST", "")
	_, err := backends.DialConsul(t.Context(), "localhost:8500", backends.WithPort(8081))
	if !errors.Is(err, reception.ErrIllegalHost) {
		t.Errorf("got %v, want %v", err, reception.ErrIllegalHost)
	}
}
