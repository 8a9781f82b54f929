package relay

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
)

// Ports are taken from below the range that the system hands out by itself, so
// that nobody is given one while the relay refuses connections on it.
const (
	lowestPort  = 10240
	highestPort = 32768 // the system's range usually starts here
	attempts    = 100
)

// listenFree listens on a free port of the loopback interface.
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
		port := lowestPort + rand.IntN(above-lowestPort)
		listener, err = new(net.ListenConfig).Listen(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return listener, nil
		}
	}
	return nil, fmt.Errorf("no free port between %d and %d in %d attempts: %w", lowestPort, above, attempts, err)
}
