package etcd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

// A feed follows a key, or all keys with a prefix: first what there is at one revision, then every change after that
// revision, so that none is missed in between. Where the history that it needs is compacted, and every now and then in
// any case, it begins anew with what there is.
type feed struct {
	b      *backend
	key    string
	prefix bool

	ctx    context.Context // ends with the feed, with its beat, or with the backend
	cancel context.CancelCauseFunc
	pulse  *pulse
	beat   *beat
	relist *time.Timer

	closing sync.Once

	// Touched by next alone:
	listed   bool  // revision is where to go on from
	revision int64 // all up to here was told
	changes  clientv3.WatchChan
	stop     context.CancelFunc // ends changes
	answered *question          // the newest that the feed has answered
	broken   error
}

// An update is a step of a feed.
type update struct {
	reset    bool
	kvs      []*mvccpb.KeyValue // with reset: what there is, in the order of creation
	events   []*clientv3.Event  // otherwise: what has happened since
	revision int64
	proof    driver.Proof // that the feed has told everything; zero for none
}

// follow starts a feed of key, or of all keys that begin with it, of which p tells whether it is alive.
func (b *backend) follow(p *pulse, key string, prefix bool) *feed {
	f := &feed{b: b, key: key, prefix: prefix, pulse: p, beat: p.join(), stop: func() {}}
	f.ctx, f.cancel = context.WithCancelCause(f.beat.watching)
	f.relist = time.NewTimer(b.settings.relist)
	f.postpone()
	return f
}

// resume starts a feed of one key that tells what has happened after revision.
func (b *backend) resume(key string, revision int64) *feed {
	f := b.follow(b.records, key, false)
	f.listed, f.revision = true, revision
	return f
}

// close ends the feed. Closing again does nothing.
func (f *feed) close() {
	f.closing.Do(func() {
		f.cancel(driver.ErrClosed)
		f.relist.Stop()
		f.pulse.leave()
	})
}

// next waits for the next update. An end of ctx loses nothing; after another error the feed is broken.
func (f *feed) next(ctx context.Context) (*update, error) {
	if f.broken != nil && f.ctx.Err() == nil {
		return nil, f.broken
	}
	u, err := f.advance(ctx)
	if err != nil && ctx.Err() == nil {
		f.broken = err
	}
	return u, err
}

func (f *feed) advance(ctx context.Context) (*update, error) {
	for {
		if f.ctx.Err() != nil {
			return nil, f.ended()
		}
		if !f.listed {
			return f.list(ctx)
		}
		if f.changes == nil {
			if err := f.watch(ctx, f.revision+1); err != nil {
				return nil, f.unless(err)
			}
		}
		select {
		case response, open := <-f.changes:
			if u, err := f.take(&response, open); u != nil || err != nil {
				return u, err
			}
		case <-f.relist.C:
			f.listed = false
		case <-f.ctx.Done():
			return nil, f.ended()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// after returns what *first holds, and then what next does.
func (f *feed) after(ctx context.Context, first **update) (*update, error) {
	u := *first
	if u == nil {
		return f.next(ctx)
	}
	if f.ctx.Err() != nil {
		return nil, f.ended()
	}
	*first = nil
	return u, nil
}

// ended says why ctx has ended.
func (f *feed) ended() error {
	if cause := context.Cause(f.ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return driver.ErrClosed // the backend's
}

// unless is an error, or what has ended the feed.
func (f *feed) unless(err error) error {
	if f.ctx.Err() != nil {
		return f.ended()
	}
	return err
}

// list reads what there is and has changes begin after it.
//
// Where proofs are wanted the watch comes first, and begins with whatever comes next: a server says nothing about the
// progress of a stream that has a watch of the future.
func (f *feed) list(ctx context.Context) (*update, error) {
	f.stop()
	f.changes = nil
	if f.pulse.proves {
		if err := f.watch(ctx, 0); err != nil {
			return nil, f.unless(err)
		}
	}
	asked := driver.Now()
	var found *clientv3.GetResponse
	var err error
	if f.prefix {
		found, err = f.b.list(ctx, f.key)
	} else {
		found, err = f.b.get(ctx, f.key)
	}
	if err != nil {
		return nil, err
	}
	f.postpone()
	f.listed, f.revision = true, found.Header.Revision
	f.beat.saw(f.revision)
	return &update{reset: true, kvs: found.Kvs, revision: f.revision, proof: f.pulse.proof(asked)}, nil
}

// postpone sets the time of the next list.
func (f *feed) postpone() {
	interval := f.b.settings.relist
	f.relist.Reset(interval*4/5 + rand.N(interval*2/5+1))
}

// watch has the server tell of changes from revision on, 0 for the next one that it carries out. It waits until the
// server has agreed.
func (f *feed) watch(ctx context.Context, revision int64) error {
	return f.b.request(ctx, false, func(limited context.Context) error {
		limited, giveUp := context.WithCancel(limited)
		defer giveUp()
		defer context.AfterFunc(f.ctx, giveUp)()
		return f.open(limited, revision)
	})
}

// open is watch until ctx ends.
//
// The server's agreement is awaited even then, until the beat is over, and only then the watch is ended: one that is given
// up before goes on at the server. The vendor's client forgets it, and lets neither it nor their stream end, however many
// come and go, until something happens under its key.
func (f *feed) open(ctx context.Context, revision int64) error {
	watching, stop := context.WithCancel(f.beat.watching)
	agreed := make(chan clientv3.WatchChan)
	awaited := f.b.start(func() {
		changes := f.b.client.Watch(watching, f.key, f.options(revision)...)
		select {
		case agreed <- changes:
		case <-ctx.Done():
			stop()
		}
	})
	if !awaited {
		stop()
		return driver.ErrClosed
	}
	select {
	case f.changes = <-agreed:
		unhook := context.AfterFunc(f.ctx, stop)
		f.stop = func() { unhook(); stop() }
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *feed) options(revision int64) []clientv3.OpOption {
	opts := []clientv3.OpOption{clientv3.WithRev(revision)}
	if f.prefix {
		opts = append(opts, clientv3.WithPrefix())
	}
	return opts
}

// take makes an update of what the server has told; none if there is nothing in it.
func (f *feed) take(response *clientv3.WatchResponse, open bool) (*update, error) {
	switch err := watchError(response); {
	case f.ctx.Err() != nil:
		return nil, f.ended()
	case errors.Is(err, rpctypes.ErrCompacted):
		f.b.log.Printf("reception: etcd: the history of %q after revision %d is compacted; reading it anew",
			f.key, f.revision)
		f.listed = false
		return nil, nil
	case err != nil:
		c := call{ctx: f.b.life, closed: f.b.life}
		return nil, c.failure(err)
	case !open:
		return nil, fmt.Errorf("%w: the watch was ended, as if by closing the etcd client", driver.ErrUnavailable)
	}
	u := &update{events: f.news(response.Events), revision: f.revision}
	if last := len(u.events) - 1; last >= 0 {
		u.revision = u.events[last].Kv.ModRevision
	} else if response.IsProgressNotify() {
		u.revision = max(u.revision, response.Header.Revision)
	}
	f.revision = u.revision
	f.beat.saw(f.revision)
	u.proof = f.answer()
	if len(u.events) == 0 && u.proof.GoodFor == 0 {
		return nil, nil
	}
	return u, nil
}

// news returns those events that were not told with what there was.
func (f *feed) news(events []*clientv3.Event) []*clientv3.Event {
	for len(events) > 0 && events[0].Kv.ModRevision <= f.revision {
		events = events[1:]
	}
	return events
}

// answer returns what the place that the feed has reached proves: that it has told everything up to there answers the
// beat's question, if that is about no later place. Zero if it was answered before.
func (f *feed) answer() driver.Proof {
	q := f.beat.question.Load()
	if q == nil || q == f.answered || f.revision < q.revision {
		return driver.Proof{}
	}
	f.answered = q
	return f.pulse.proof(q.asked)
}
