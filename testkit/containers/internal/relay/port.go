package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Ports are taken from below the range that the system hands out by itself, so
// that nobody is given one while the relay refuses connections on it.
const (
	lowestPort  = 10240
	highestPort = 32768 // the system's range usually starts here
	attempts    = 100
)

// claimPrefix begins the names of the sockets that claim ports.
const claimPrefix = "@reception-relay-"

// taken are the claims of this process's relays on their ports. A port that
// refuses connections is not listened on, and would be given to the next relay.
var taken sync.Map

// release gives a relay's port back.
func release(addr string) {
	if claim, mine := taken.LoadAndDelete(addr); mine {
		_ = claim.(io.Closer).Close() //nolint:errcheck // nothing else is stored, and a claim ends with the process at the latest
	}
}

// claim takes a port from all relays on this machine, whichever process they belong
// to; on Linux, that is, whose abstract sockets leave nothing behind when a
// process is killed. Elsewhere it takes it from those of this process. It
// reports whether nobody had it.
func claim(addr string) bool {
	var mark io.Closer = io.NopCloser(nil)
	if runtime.GOOS == "linux" {
		socket, err := new(net.ListenConfig).Listen(context.Background(), "unix", claimPrefix+addr)
		if err != nil {
			return false
		}
		mark = socket
	}
	if _, other := taken.LoadOrStore(addr, mark); other {
		_ = mark.Close() // it is not needed
		return false
	}
	return true
}

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
		if !claim(addr) {
			continue
		}
		if listener, err = new(net.ListenConfig).Listen(context.Background(), "tcp", addr); err == nil {
			return listener, nil
		}
		release(addr)
	}
	return nil, fmt.Errorf("no free port between %d and %d in %d attempts: %w", lowestPort, above, attempts, err)
}

// inheritance is how long a port that was closed may still be taken, at the most.
const inheritance = 5 * time.Second

// listenAgain listens on a port that is the caller's. Where this process is starting another one at this moment, which has
// a copy of all that is open until it becomes the other program, a listener that was just closed is still there.
func listenAgain(addr string) (net.Listener, error) {
	for deadline := time.Now().Add(inheritance); ; time.Sleep(time.Millisecond) {
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return listener, err
		}
	}
}
