package relay

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
)

// Ports are taken from below the range that the system hands out by itself, so
// that nobody is given one while the relay refuses connections on it.
const (
	lowestPort  = 10240
	highestPort = 32768 // the system's range usually starts here
	attempts    = 100
)

// taken are the ports of this process's relays. One that refuses connections is not listened on, and would be given to the
// next relay.
var taken sync.Map

// release gives a relay's port back.
func release(addr string) { taken.Delete(addr) }

// listenFree listens on a free port of the loopback interface, which is the caller's until it is released.
func listenFree() (net.Listener, error) {
	above := highestPort
	var low, high int
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if _, err := fmt.Sscan(string(text), &low, &high); err == nil && low > lowestPort {
			above = low
		}
	}
	var err error
	for range attempts {
		var listener net.Listener
		addr := fmt.Sprintf("127.0.0.1:%d", lowestPort+rand.IntN(above-lowestPort))
		if _, other := taken.LoadOrStore(addr, struct{}{}); other {
			continue
		}
		if listener, err = new(net.ListenConfig).Listen(context.Background(), "tcp", addr); err == nil {
			return listener, nil
		}
		release(addr)
	}
	return nil, fmt.Errorf("no free port between %d and %d in %d attempts: %w", lowestPort, above, attempts, err)
}
