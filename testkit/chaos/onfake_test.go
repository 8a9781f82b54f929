package chaos_test

import (
	"context"
	"sync"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/chaos"
	"github.com/go-reception/sdk/testkit/conformance"
)

// timing is that of the clusters in memory. Their servers are as late as a fault makes them.
var timing = conformance.Timing{
	TTL: 10 * time.Second, Late: 20 * time.Second, Propagation: 700 * time.Millisecond, Backoff: time.Second,
	Margin: time.Second,
}

// A stage is a cluster in memory as an arena.
type stage struct {
	cluster *fake.Cluster
	wrap    func(*line, driver.Backend) driver.Backend // stands between a process and the cluster, if it is set

	mu    sync.Mutex
	lines map[int]*line // by process
}

// A line is what lies between one life of a process and the cluster.
type line struct {
	*fake.Backend

	stage *stage

	mu      sync.Mutex
	severed bool // by a crash
	cut     bool
	apart   bool          // the server that the process talks to is cut off from the others
	healed  chan struct{} // closed when it is not, any more
}

// onFake makes a cluster in memory with all that can befall it.
func onFake(wrap func(*line, driver.Backend) driver.Backend, options ...fake.ClusterOption) *chaos.Arena {
	options = append([]fake.ClusterOption{fake.WithTTL(timing.TTL), fake.WithPropagation(timing.Propagation / 10)}, options...)
	s := &stage{cluster: fake.NewCluster(options...), wrap: wrap, lines: make(map[int]*line)}
	return &chaos.Arena{
		Backend: "fake", Timing: timing, Connect: s.connect, Servers: 1,
		Faults: []chaos.Fault{
			{Name: "cut", Victims: chaos.Processes, Strike: s.on((*line).cutOff)},
			{Name: "blackhole", Victims: chaos.Processes, Strike: s.on((*line).freeze)},
			{Name: "partition", Victims: chaos.Processes, Strike: s.on((*line).part)},
			{Name: "hidden expiry", Victims: chaos.Processes, Excuse: chaos.Lies, Strike: s.on((*line).hide)},
			{Name: "slow", Victims: chaos.Processes, Strike: s.on((*line).slow)},
			{Name: "lost replies", Victims: chaos.Processes, Strike: s.on((*line).lose)},
			{Name: "fast servers", Victims: chaos.Processes, Strike: s.on((*line).drift)},
			{Name: "expire", Victims: chaos.Processes, Excuse: chaos.Expiry, Strike: func(victim int) func() {
				s.line(victim).ExpireSessions()
				return nil
			}},
			{Name: "late", Victims: chaos.Cluster, Strike: func(int) func() {
				s.cluster.ExpireLate(2 * timing.TTL)
				return func() { s.cluster.ExpireLate(0) }
			}},
			{Name: "lag", Victims: chaos.Cluster, Strike: func(int) func() {
				s.cluster.SetPropagation(timing.Propagation)
				return func() { s.cluster.SetPropagation(timing.Propagation / 10) }
			}},
			{Name: "compact", Victims: chaos.Cluster, Strike: func(int) func() { s.cluster.Compact(); return nil }},
			{Name: "wipe", Victims: chaos.Cluster, Excuse: chaos.Wipe, Strike: func(int) func() { s.cluster.Wipe(); return nil }},
		},
	}
}

// connect connects a process.
func (s *stage) connect(process int, _ reception.Logger) (*chaos.Connection, error) {
	l := &line{Backend: s.cluster.Backend(), stage: s, healed: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines[process] = l
	seen := driver.Intercept(l.Backend, l.quorum)
	if s.wrap != nil {
		seen = s.wrap(l, seen)
	}
	return &chaos.Connection{Backend: seen, Sever: l.sever}, nil
}

func (s *stage) line(process int) *line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines[process]
}

// on makes a strike of what is done to a process's line.
func (s *stage) on(do func(*line) func()) func(int) func() {
	return func(victim int) func() { return do(s.line(victim)) }
}

func (l *line) sever() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.severed = true
	l.Cut()
}

func (l *line) cutOff() func() {
	l.set(func() { l.cut = true; l.Cut() })
	return func() {
		l.set(func() {
			if l.cut = false; !l.severed {
				l.Heal()
			}
		})
	}
}

func (l *line) set(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
}

func (l *line) freeze() func() { l.Freeze(); return l.Thaw }

func (l *line) hide() func() { l.HideExpiry(true); return func() { l.HideExpiry(false) } }

func (l *line) drift() func() {
	l.SetClockRate(1 - 0.9*float64(timing.Margin)/float64(timing.TTL))
	return func() { l.SetClockRate(1) }
}

// slow holds back all answers, for longer than the margin.
func (l *line) slow() func() {
	return l.inject(fake.Fault{Stage: fake.After, Times: fake.Always, Delay: timing.TTL / 4})
}

// lose loses every other answer.
func (l *line) lose() func() {
	n := 0
	return l.inject(fake.Fault{Stage: fake.After, Times: fake.Always, Hook: func(_ context.Context, call driver.Call) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		switch n++; {
		case n%2 == 1:
			return nil
		case call.Operation.Readonly:
			return driver.ErrUnavailable
		default:
			return driver.ErrOutcomeUnknown
		}
	}})
}

// inject arms a fault for every operation.
func (l *line) inject(f fake.Fault) (remove func()) {
	var removes []func()
	for _, operation := range driver.Operations() {
		f.Operation = operation.Name
		remove, err := l.Inject(f)
		if err != nil {
			panic(err) // a mistake in the arena
		}
		removes = append(removes, remove)
	}
	return func() {
		for _, remove := range removes {
			remove()
		}
	}
}

// part cuts the server that the process talks to off from the others. The process still reaches it.
func (l *line) part() func() {
	l.set(func() { l.apart, l.healed = true, make(chan struct{}) })
	return func() { l.set(func() { l.apart = false; close(l.healed) }) }
}

// reaches says whether the process reaches its server, and whether that reaches the others.
func (l *line) reaches() (server, others bool, healed chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.cut && !l.severed, !l.apart, l.healed
}

// quorum is what a server does that is cut off from the others: it can decide nothing, and hears of nothing.
func (l *line) quorum(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
	if call.Next {
		result, err := invoke(ctx)
		if _, others, healed := l.reaches(); !others && err == nil {
			select {
			case <-healed:
			case <-ctx.Done():
				return nil, driver.ErrUnavailable // what was read is lost, and so is the stream
			}
		}
		return result, err
	}
	if server, others, healed := l.reaches(); server && !others {
		select {
		case <-time.After(timing.TTL / 20):
			return nil, driver.ErrUnavailable
		case <-healed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return invoke(ctx)
}
