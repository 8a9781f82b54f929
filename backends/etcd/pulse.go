package etcd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"

	"github.com/go-reception/sdk/reception/driver"
)

// A pulse tells whether some watches of a backend are alive. The vendor's client hides a lost connection from them: it
// connects anew and resumes, for as long as that takes, and meanwhile a watch looks as if nothing happened. So every
// now and then a watch is opened, on the stream of the connection that all of them share, only to see whether a server
// agrees to it in time. If none does, the feeds are told that they are deaf, and what follows is on a stream of its
// own.
type pulse struct {
	name   string
	proves bool          // the feeds are also to prove that they have heard of everything
	good   time.Duration // for how long such a proof is good

	mu    sync.Mutex
	now   *beat
	feeds int // that are open
}

// A beat is a time during which the pulse was there. Its watches share a stream.
type beat struct {
	number   int
	watching context.Context // what all of them derive from; ends with the beat
	end      context.CancelCauseFunc
	seen     atomic.Int64             // the highest revision that a feed has read
	question atomic.Pointer[question] // the newest that the feeds are asked; nil before the first
}

// newPulse returns a pulse whose proofs are good for two intervals: so long it takes to notice that it has stopped.
func newPulse(life context.Context, name string, interval time.Duration, proves bool) *pulse {
	p := &pulse{name: name, proves: proves, good: 2 * interval}
	p.now = p.newBeat(life, 1)
	return p
}

// newBeat returns the beat of that number. The vendor's client gives watches a stream of their own if the metadata of
// their contexts differs, which is what name and number are sent for; the servers do not look at them.
func (p *pulse) newBeat(life context.Context, number int) *beat {
	t := &beat{number: number}
	ctx := clientv3.WithRequireLeader(metadata.AppendToOutgoingContext(life, "reception-"+p.name, strconv.Itoa(number)))
	t.watching, t.end = context.WithCancelCause(ctx)
	return t
}

// join returns the present beat to a feed that is opened.
func (p *pulse) join() *beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feeds++
	return p.now
}

// leave is for a feed that is closed.
func (p *pulse) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feeds--
}

// wanted returns the present beat, nil if there is no feed that wants to know.
func (p *pulse) wanted() *beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.feeds == 0 {
		return nil
	}
	return p.now
}

// renew has those who join from now on do so under another beat, and returns the one until then.
func (p *pulse) renew(life context.Context) *beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.now
	p.now = p.newBeat(life, before.number+1)
	return before
}

// saw notes that a feed has read up to revision.
func (t *beat) saw(revision int64) {
	for seen := t.seen.Load(); seen < revision; seen = t.seen.Load() {
		if t.seen.CompareAndSwap(seen, revision) {
			return
		}
	}
}

// keep feels a pulse until the backend is closed.
//
// It also notices that the revisions have begun anew, because the servers have lost their data: a watch that asks for
// what comes after revision 1,000 would hear nothing until there are 1,000 again. A server that has just
// begun to catch up with the others looks the same for a moment. One that has not arrived, two intervals later, where a
// feed was already, has lost its data, or is no server to watch from.
func (b *backend) keep(p *pulse) {
	interval := b.settings.interval()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var last *beat
	var before int64 // what it has seen one interval ago
	behind := false  // the server was behind that one interval ago already
	for {
		select {
		case <-ticker.C:
		case <-b.life.Done():
			return
		}
		now := p.wanted()
		if now == nil {
			continue
		}
		if now != last {
			last, before, behind = now, 0, false
		}
		seen := now.seen.Load()
		revision, err := b.feel(p, now, interval)
		wasBehind := behind
		if behind = err == nil && revision < before; behind && wasBehind {
			err = goneBack(before, revision)
		}
		if err != nil && b.life.Err() == nil {
			b.log.Printf("reception: etcd: watches begin anew: %v", err)
			p.renew(b.life).end(err)
		}
		before = seen
	}
}

// goneBack says that the servers have lost their data.
func goneBack(from, to int64) error {
	return fmt.Errorf("%w: the history has gone back from revision %d to %d", driver.ErrUnavailable, from, to)
}

// feel opens a watch and returns the revision at which the server has agreed to it.
func (b *backend) feel(p *pulse, of *beat, timeout time.Duration) (revision int64, err error) {
	ctx, cancel := context.WithTimeout(of.watching, timeout)
	defer cancel()
	changes := b.client.Watch(ctx, b.keys.services, clientv3.WithCreatedNotify())
	response, open := <-changes
	switch err := watchError(&response); {
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return math.MaxInt64, nil // it has answered
	case err != nil:
		c := call{ctx: b.life, closed: b.life, late: lateError(timeout)}
		return 0, c.failure(err)
	case !open:
		return 0, fmt.Errorf("%w: watches are not answered within %v", driver.ErrUnavailable, timeout)
	case p.proves:
		return response.Header.GetRevision(), b.ask(ctx, of, changes)
	default:
		return response.Header.GetRevision(), nil
	}
}
