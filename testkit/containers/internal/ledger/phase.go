package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/wire"
)

// A phase does something that often before it measures, unless it is slow, and then measures it for so long.
const (
	warmUps   = 5
	phaseTime = time.Second
)

// defaultTTL is that of parties for which it makes no difference.
const defaultTTL = 15 * time.Second

// A Phase is one side's turn in a round of a figure.
type Phase struct {
	N     int // the figure's size
	Quick bool

	stand  *stand
	sdk    bool
	record func(measure string, value float64)
	undo   []func() error
}

// serial makes names that nobody has used before.
var serial atomic.Int64

// Fresh returns a name that nobody has used before.
func (p *Phase) Fresh(kind string) string { return kind + "-" + strconv.FormatInt(serial.Add(1), 10) }

// Record notes one value of a measure.
func (p *Phase) Record(measure string, value float64) { p.record(measure, value) }

// Took notes how long something took.
func (p *Phase) Took(measure string, d time.Duration) {
	p.record(measure, float64(d)/float64(time.Millisecond))
}

// Defer has something done when the phase is over, the last one first.
func (p *Phase) Defer(undo func() error) { p.undo = append(p.undo, undo) }

// end does what was deferred.
func (p *Phase) end() error {
	var errs []error
	for _, undo := range slices.Backward(p.undo) {
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}

// Connect returns another party of the phase's side. It is closed at the end of the phase.
func (p *Phase) Connect(ctx context.Context) (Party, error) { return p.connect(ctx, p.sdk, p.way()) }

// Bystander returns a party that is the same whatever side it is the turn of: one with the vendor's client, where there
// is one. It is closed at the end of the phase.
func (p *Phase) Bystander(ctx context.Context) (Party, error) {
	return p.connect(ctx, p.stand.backend.Bare == nil, p.way())
}

// way is the usual one.
func (p *Phase) way() Way { return Way{Addr: p.stand.server.Addr(), TTL: defaultTTL} }

// connect connects a party of either side in the given way.
func (p *Phase) connect(ctx context.Context, ofSDK bool, way Way) (Party, error) {
	party, err := p.dial(ctx, ofSDK, way)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	p.Defer(func() error {
		if err := party.Close(); err != nil { // no figure is about that
			p.stand.log("%s: closing a client: %v", p.stand.backend.Name, err)
		}
		return nil
	})
	return party, nil
}

// dial connects a party of either side, and leaves it to the caller.
func (p *Phase) dial(ctx context.Context, ofSDK bool, way Way) (Party, error) {
	b := p.stand.backend
	if !ofSDK {
		return b.Bare(ctx, p.stand.server, way)
	}
	client, err := b.SDK(ctx, p.stand.server, way)
	if err != nil {
		return nil, err
	}
	return sdk{client}, nil
}

// Proxied returns a party whose way leads through a proxy.
func (p *Phase) Proxied(ctx context.Context, ttl time.Duration) (Party, *wire.Proxy, error) {
	proxy, err := wire.New(p.stand.server.Addr(), p.stand.backend.Protocol)
	if err != nil {
		return nil, nil, err
	}
	p.Defer(proxy.Close)
	party, err := p.connect(ctx, p.sdk, Way{Addr: proxy.Addr(), TTL: ttl})
	// A party that was cut off finds its server again before it is closed, or it would try for long.
	p.Defer(func() error { proxy.Point(p.stand.server.Addr()); return nil })
	return party, proxy, err
}

// Filled returns a name that has N instances. All phases of all figures of a size share it.
func (p *Phase) Filled(ctx context.Context) (string, error) { return p.stand.filled(ctx, p.N) }

// Repeat calls do a few times to warm up, then until the phase's time is over, but no more than most times, and once at
// the least.
func (p *Phase) Repeat(ctx context.Context, most int, do func(ctx context.Context, warm bool) error) error {
	budget := phaseTime
	if p.Quick {
		budget, most = 0, 1
	}
	start := time.Now()
	for i := range warmUps {
		if err := do(ctx, false); err != nil {
			return err
		}
		if time.Since(start) > budget/2 && i > 0 || p.Quick {
			break // it is too slow to matter that it is cold
		}
	}
	runtime.GC()
	start = time.Now()
	for i := 0; i < most && (i == 0 || time.Since(start) < budget); i++ {
		if err := do(ctx, true); err != nil {
			return err
		}
	}
	return nil
}
