package containers

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/relay"
)

// Link is a client's way to the nodes of a cluster: a proxy for each, whose port
// outlives every restart. Faults on a link leave the servers alone, and clients
// with other links.
type Link struct {
	cluster *Cluster
	nodes   []*Node
	relays  []*relay.Relay
}

// newLink makes a way to all nodes.
func (c *Cluster) newLink() (l *Link, err error) {
	l = &Link{cluster: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	for _, n := range c.nodes {
		r, err := relay.New()
		if err != nil {
			return l, err
		}
		l.nodes, l.relays = append(l.nodes, n), append(l.relays, r)
		if err := n.addRelay(r); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (l *Link) close() error {
	var errs []error
	for i, r := range l.relays {
		errs = append(errs, l.nodes[i].removeRelay(r))
	}
	return errors.Join(errs...)
}

// Endpoints returns the link's endpoints, one for each node, as host:port.
func (l *Link) Endpoints() []string {
	endpoints := make([]string, 0, len(l.relays))
	for _, r := range l.relays {
		endpoints = append(endpoints, r.Addr())
	}
	return endpoints
}

// To returns the part of the link that leads to some of the nodes.
func (l *Link) To(nodes ...*Node) *Link {
	part := &Link{cluster: l.cluster}
	for i, n := range l.nodes {
		if slices.Contains(nodes, n) {
			part.nodes, part.relays = append(part.nodes, n), append(part.relays, l.relays[i])
		}
	}
	return part
}

// Cut closes the link's connections and refuses new ones.
func (l *Link) Cut(tb testing.TB) (undo func()) {
	tb.Helper()
	return l.fault(tb, "cut", (*relay.Relay).Cut)
}

// Blackhole keeps the link's connections open, accepts new ones, and swallows
// all that is sent, in both directions. Undo resets these connections, because
// they have lost bytes; [Node.Pause] leaves connections that go on.
func (l *Link) Blackhole(tb testing.TB) (undo func()) {
	tb.Helper()
	return l.fault(tb, "blackhole", (*relay.Relay).Blackhole)
}

// Reset resets the link's connections, and every new one until it is undone.
func (l *Link) Reset(tb testing.TB) (undo func()) {
	tb.Helper()
	return l.fault(tb, "reset", (*relay.Relay).Reset)
}

// Delay holds back what is sent, in each direction, by latency and up to jitter more
// or less. The grain is a millisecond.
func (l *Link) Delay(tb testing.TB, latency, jitter time.Duration) (undo func()) {
	tb.Helper()
	return l.fault(tb, "delay", func(r *relay.Relay) (func() error, error) { return r.Delay(latency, jitter) })
}

// Throttle lets so many bytes a second through, in each direction. The grain is
// a thousand bytes.
func (l *Link) Throttle(tb testing.TB, bytesPerSecond int64) (undo func()) {
	tb.Helper()
	return l.fault(tb, "throttle", func(r *relay.Relay) (func() error, error) { return r.Throttle(bytesPerSecond) })
}

// fault puts a fault on every proxy of the link.
func (l *Link) fault(tb testing.TB, what string, put func(*relay.Relay) (func() error, error)) func() {
	tb.Helper()
	var undos []func() error
	undo := func(context.Context) error {
		var errs []error
		for _, undo := range undos {
			errs = append(errs, undo())
		}
		return errors.Join(errs...)
	}
	do := func(ctx context.Context) error {
		for _, r := range l.relays {
			undoOne, err := put(r)
			if undoOne != nil {
				undos = append(undos, undoOne)
			}
			if err != nil {
				return errors.Join(err, undo(ctx))
			}
		}
		return nil
	}
	return l.cluster.fault(tb, what, do, undo)
}
