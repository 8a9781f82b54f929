package reception

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// An Opener makes a Client from an address. Adapters register one for each of their schemes.
type Opener func(ctx context.Context, address *Address) (Client, error)

// openers holds what the process has registered. It is written by init functions and never waits under its lock.
var openers = struct {
	sync.RWMutex
	byScheme map[string]Opener
}{byScheme: make(map[string]Opener)}

// packages says what to import for the schemes of this module.
var packages = map[string]string{
	"consul":    "github.com/go-reception/sdk/backends/consul",
	"etcd":      "github.com/go-reception/sdk/backends/etcd",
	"exhibitor": "github.com/go-reception/sdk/backends/zookeeper",
	"fake":      "github.com/go-reception/sdk/fake",
	"zk":        "github.com/go-reception/sdk/backends/zookeeper",
}

// RegisterScheme has [Open] use opener for addresses with this scheme, which is in lower case. An adapter calls it in
// init, as drivers do for database/sql. It panics if opener is nil, or the scheme taken or none that an address can
// have.
func RegisterScheme(scheme string, opener Opener) {
	if parsed, err := parseAddress(scheme + "://"); err != nil || parsed.Scheme != scheme {
		panic(fmt.Sprintf("reception: RegisterScheme: %q is not a scheme in lower case", scheme))
	}
	if opener == nil {
		panic("reception: RegisterScheme: the opener of " + scheme + " is nil")
	}
	openers.Lock()
	defer openers.Unlock()
	if _, taken := openers.byScheme[scheme]; taken {
		panic("reception: RegisterScheme: " + scheme + " is registered already")
	}
	openers.byScheme[scheme] = opener
}

// Schemes returns the schemes that have been registered, sorted.
func Schemes() []string {
	openers.RLock()
	defer openers.RUnlock()
	return slices.Sorted(maps.Keys(openers.byScheme))
}

// Open returns a Client for what address names, such as
//
//	etcd://user:password@10.0.0.1:2379,10.0.0.2:2379?prefix=/prod&ttl=15s
//
// The scheme says which backend, and the program must import the adapter's package, if only for its side effect:
//
//	import _ "github.com/go-reception/sdk/backends/etcd"
//
// The rest of the address is described there. Whatever in it the adapter does not know, or finds twice, is an error.
func Open(ctx context.Context, address string) (Client, error) {
	parsed, err := parseAddress(address)
	if err != nil {
		return nil, fmt.Errorf("reception: Open: %w", err)
	}
	openers.RLock()
	opener := openers.byScheme[parsed.Scheme]
	openers.RUnlock()
	if opener == nil {
		return nil, fmt.Errorf("reception: Open: %w", unknownScheme(parsed.Scheme))
	}
	client, err := opener(ctx, parsed)
	if err != nil {
		return nil, attribute("Open", parsed.String(), err)
	}
	return client, nil
}

// unknownScheme tells a scheme that is ours, and only wants an import, from one that nobody knows.
func unknownScheme(scheme string) error {
	if path, ours := packages[scheme]; ours {
		return fmt.Errorf("scheme %q is not registered: import _ %q", scheme, path)
	}
	known := slices.Concat(Schemes(), slices.Collect(maps.Keys(packages)))
	slices.Sort(known)
	return fmt.Errorf("unknown scheme %q, known are %s", scheme, strings.Join(slices.Compact(known), ", "))
}
