package consul

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A pulse tells whether polls may hear anything. A question that a server holds looks the same as one that the network
// has swallowed, for more than a minute. So every now and then the agent is asked who leads its servers, which it has to
// find out from them: if it does not know, or does not answer, the polls that wait are told.
type pulse struct {
	mu    sync.Mutex
	life  context.Context
	now   context.Context // ends, with its cause, when the polls that have joined it may be deaf
	end   context.CancelCauseFunc
	polls int // that wait
}

// begin begins the first beat.
func (p *pulse) begin(life context.Context) {
	p.life = life
	p.now, p.end = context.WithCancelCause(life)
}

// join returns the present beat to a poll that begins to wait.
func (p *pulse) join() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.polls++
	return p.now
}

// leave is for a poll that waits no longer.
func (p *pulse) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.polls--
}

// wanted says whether a poll waits.
func (p *pulse) wanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.polls > 0
}

// miss ends the present beat.
func (p *pulse) miss(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end(cause)
	p.now, p.end = context.WithCancelCause(p.life)
}

// keepPulse feels the pulse until the backend is closed.
func (b *backend) keepPulse() {
	interval := b.settings.interval()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-b.life.Done():
			return
		}
		if !b.pulse.wanted() {
			continue
		}
		if err := b.feel(interval); err != nil && b.life.Err() == nil {
			b.log.Printf("reception: consul: watches begin anew: %v", err)
			b.pulse.miss(err)
		}
	}
}

// feel asks who leads the servers.
func (b *backend) feel(timeout time.Duration) error {
	var leader string
	err := b.request(b.life, false, timeout, func(ctx context.Context) (err error) {
		leader, err = b.client.Status().LeaderWithQueryOptions(options(ctx))
		return err
	})
	switch {
	case errors.Is(err, driver.ErrPermission):
		return nil // it has answered
	case err != nil:
		return err
	case leader == "":
		return fmt.Errorf("%w: consul's servers have no leader", driver.ErrUnavailable)
	default:
		return nil
	}
}
