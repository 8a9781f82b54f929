package consul

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/consul/api"
	"golang.org/x/time/rate"

	"github.com/go-reception/sdk/reception/driver"
)

// longPoll is how long a server is to hold a question at the most until there is news. It adds up to a sixteenth of its
// own, so that not all clients ask again at the same time.
const longPoll = time.Minute

// Answers that bring no news are followed by this much silence, but for the first ones.
const (
	fruitlessPause = 200 * time.Millisecond
	fruitlessBurst = 2
)

// A poll asks one question again and again, and has the server hold each until there is something new to say.
type poll[V any] struct {
	b   *backend
	ask func(*api.QueryOptions) (V, *api.QueryMeta, error)

	ctx     context.Context // ends with the poll, or with the backend
	cancel  context.CancelFunc
	limiter *rate.Limiter

	// Touched by next alone:
	index     uint64 // of the last answer; 0 has the next one come at once
	fruitless bool   // the last answer brought no news
}

func newPoll[V any](b *backend, ask func(*api.QueryOptions) (V, *api.QueryMeta, error)) *poll[V] {
	p := &poll[V]{b: b, ask: ask, limiter: rate.NewLimiter(rate.Every(fruitlessPause), fruitlessBurst)}
	p.ctx, p.cancel = context.WithCancel(b.life)
	return p
}

// close ends the poll. Closing again does nothing.
func (p *poll[V]) close() { p.cancel() }

// next returns the next answer. It ends with ctx, which loses nothing, when the poll is closed, and when nobody answers
// any more.
func (p *poll[V]) next(ctx context.Context) (answer V, err error) {
	beat := p.b.pulse.join()
	defer p.b.pulse.leave()
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	defer context.AfterFunc(beat, cancel)()
	if p.fruitless {
		p.rest(waiting)
	}
	answer, err = p.once(waiting)
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return answer, ctx.Err()
	case p.ctx.Err() != nil:
		return answer, driver.ErrClosed
	case beat.Err() != nil && isEnd(err):
		return answer, context.Cause(beat)
	default:
		return answer, err
	}
}

// rest waits until the next question may be asked after an answer that brought no news, or until ctx ends.
func (p *poll[V]) rest(ctx context.Context) {
	timer := time.NewTimer(p.limiter.Reserve().Delay())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// once asks.
func (p *poll[V]) once(ctx context.Context) (answer V, err error) {
	var meta *api.QueryMeta
	wait := longPoll*3/4 + rand.N(longPoll/4)
	limit := p.b.settings.operation
	if p.index > 0 {
		limit += wait + wait/16
	}
	err = p.b.request(ctx, false, limit, func(ctx context.Context) (err error) {
		q := (&api.QueryOptions{WaitIndex: p.index, WaitTime: wait}).WithContext(ctx)
		answer, meta, err = p.ask(q)
		return err
	})
	if err != nil {
		return answer, err
	}
	p.index = following(p.index, meta.LastIndex)
	return answer, nil
}

// following returns the index to ask with after an answer of index now to a question with index before. One that has
// gone back says that the servers have begun anew, and so does the next question; one of 0 would have the server hold
// nothing.
func following(before, now uint64) uint64 {
	if now < before {
		return 0
	}
	return max(now, 1)
}
