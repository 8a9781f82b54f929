package etcd

import (
	"context"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

// A question is whether feeds have told everything up to a revision. A majority of the servers has said, after it was
// asked, that this is how far the history has come; so a feed that has, has told everything that had happened by then.
type question struct {
	asked    driver.Moment
	revision int64
}

// proof is that of a feed which has told everything that had happened by asked.
func (p *pulse) proof(asked driver.Moment) driver.Proof {
	if !p.proves {
		return driver.Proof{}
	}
	return driver.Proof{Asked: asked, GoodFor: p.good}
}

// progressPause is the first wait before the server is asked again how far it has told its watches. It keeps silent
// while it is behind with one of them; each wait is twice as long as the one before.
const progressPause = 100 * time.Millisecond

// ask puts a question to all feeds of a beat, and has their server tell them how far it is with them until it is far
// enough, or ctx ends. What it tells comes on the stream that their changes come on, after these. It fails only if the
// history turns out to be shorter than what a feed has seen of it.
//
// A server keeps silent for longer where the vendor's client has resumed the watches after an interruption, and nothing
// was written since. Then there are no proofs for a while, which costs lists a request each, and nothing else.
func (b *backend) ask(ctx context.Context, of *beat, changes clientv3.WatchChan) error {
	q, seen := &question{asked: driver.Now()}, of.seen.Load()
	found, err := b.get(ctx, b.keys.services, clientv3.WithCountOnly())
	if err != nil {
		return nil //nolint:nilerr // there is no proof, and that is all: the watches are answered
	}
	q.revision = found.Header.Revision
	if q.revision < seen {
		return goneBack(seen, q.revision)
	}
	of.question.Store(q)
	for wait := progressPause; ; wait *= 2 {
		if err := b.client.RequestProgress(ctx); err != nil {
			return nil //nolint:nilerr // as above
		}
		if heard(ctx, changes, q.revision, wait) {
			return nil
		}
	}
}

// heard waits, for so long, until the server has told everything up to revision. It also reports true when ctx or the
// watch ends.
func heard(ctx context.Context, changes clientv3.WatchChan, revision int64, wait time.Duration) bool {
	again := time.NewTimer(wait)
	defer again.Stop()
	for {
		select {
		case response, open := <-changes:
			if !open || response.Header.Revision >= revision {
				return true
			}
		case <-again.C:
			return false
		case <-ctx.Done():
			return true
		}
	}
}
