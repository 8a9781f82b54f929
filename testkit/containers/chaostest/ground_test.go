package chaostest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/chaos"
	"github.com/go-reception/sdk/testkit/conformance"
	"github.com/go-reception/sdk/testkit/containers"
)

// A ground is a backend to play on.
type ground struct {
	name   string
	timing conformance.Timing
	// start starts a cluster of three servers, which ends with the test.
	start func(testing.TB) *site
}

// grounds are those that there are.
var grounds = []ground{etcdGround, zooKeeperGround, consulGround}

// A site is three servers.
type site struct {
	*containers.Cluster

	timing conformance.Timing
	// connect opens a backend, of which Close closes all that belongs to it.
	connect func(endpoints []string, namespace string, log reception.Logger) (driver.Backend, error)
	// single says that a client knows one server only, which is as much as Consul's can.
	single bool
	// expire ends a session as an administrator does, who reaches the servers, if they are not in trouble, whatever becomes
	// of the process's own way to them. The process is that of this number.
	expire func(number int, session driver.SessionID)
	// faults are those that only this backend knows.
	faults []chaos.Fault
}

// A field is a namespace on a site, and the processes that are connected to it.
type field struct {
	*site

	tb        testing.TB // whose end is the field's
	namespace string
	processes map[int]*process
}

// A process is a connection with a link of its own, which knows its sessions.
type process struct {
	driver.Backend

	witness driver.Witness // nil where the backend is none
	link    *containers.Link
	bounds  bounds

	mu       sync.Mutex
	sessions []driver.SessionID
}

// field returns a new namespace for a test.
func (s *site) field(tb testing.TB) *field {
	tb.Helper()
	return &field{site: s, tb: tb, namespace: "chaos-" + uuid.NewString()[:8], processes: make(map[int]*process)}
}

// open opens a connection. A process whose number is odd knows one server only, and goes down with it.
func (f *field) open(number int, log reception.Logger) (*process, error) {
	return f.openOver(f.NewLink(f.tb), number, log)
}

// openOver opens a connection over a link that there is.
func (f *field) openOver(link *containers.Link, number int, log reception.Logger) (*process, error) {
	way := link
	if number%2 == 1 || f.single {
		way = link.To(f.Node(number % len(f.Nodes())))
	}
	p := &process{link: link, bounds: bounds{margin: f.timing.Margin}}
	b, err := f.connect(way.Endpoints(), f.namespace, log)
	if err != nil {
		return nil, err
	}
	p.Backend = driver.Intercept(b, p.note)
	p.witness, _ = b.(driver.Witness)
	return p, nil
}

// Heard implements [driver.Witness], so that clients count on here what they count on elsewhere.
func (p *process) Heard() driver.Moment {
	if p.witness == nil {
		return driver.Moment{}
	}
	return p.witness.Heard()
}

// note notes the sessions that the process opens, and what bounds its terms.
func (p *process) note(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
	p.bounds.asked(call)
	sent := time.Now()
	result, err := invoke(ctx)
	if err != nil {
		return result, err
	}
	p.bounds.answered(call, sent, result)
	if opened, is := result.(*driver.OpenSessionResponse); is {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sessions = append(p.sessions, opened.Session)
	}
	return result, nil
}

// take returns the sessions that were opened since it was last called.
func (p *process) take() []driver.SessionID {
	p.mu.Lock()
	defer p.mu.Unlock()
	sessions := p.sessions
	p.sessions = nil
	return sessions
}

// arena makes the field an arena.
func (f *field) arena(name string) *chaos.Arena {
	onLink := func(fault func(*containers.Link) func()) func(int) func() {
		return func(victim int) func() { return fault(f.processes[victim].link) }
	}
	onNode := func(fault func(*containers.Node) func()) func(int) func() {
		return func(victim int) func() { return fault(f.Node(victim)) }
	}
	faults := []chaos.Fault{
		{Name: "cut", Victims: chaos.Processes, Strike: onLink(func(l *containers.Link) func() { return l.Cut(f.tb) })},
		{Name: "blackhole", Victims: chaos.Processes, Strike: onLink(func(l *containers.Link) func() { return l.Blackhole(f.tb) })},
		{Name: "slow", Victims: chaos.Processes, Strike: onLink(func(l *containers.Link) func() {
			return l.Delay(f.tb, f.timing.TTL/10, f.timing.TTL/20)
		})},
		{Name: "kill", Victims: chaos.Servers, Strike: onNode(func(n *containers.Node) func() { return n.Kill(f.tb) })},
		{Name: "pause", Victims: chaos.Servers, Strike: onNode(func(n *containers.Node) func() { return n.Pause(f.tb) })},
		{Name: "isolate", Victims: chaos.Servers, Strike: onNode(func(n *containers.Node) func() { return f.Isolate(f.tb, n) })},
		{Name: "partition", Victims: chaos.Servers, Strike: func(victim int) func() {
			return f.Partition(f.tb, f.Node(victim), f.Node((victim+1)%len(f.Nodes())))
		}},
		{Name: "expire", Victims: chaos.Processes, Excuse: chaos.Expiry, Strike: func(victim int) func() {
			for _, session := range f.processes[victim].take() {
				f.expire(victim, session)
			}
			return nil
		}},
		{Name: "wipe", Victims: chaos.Cluster, Excuse: chaos.Wipe, Strike: func(int) func() { f.Wipe(f.tb); return nil }},
	}
	return &chaos.Arena{
		Backend: name, Namespace: f.namespace, Timing: f.timing, Servers: len(f.Nodes()), Faults: append(faults, f.faults...),
		Connect: func(number int, log reception.Logger) (*chaos.Connection, error) {
			p, err := f.open(number, log)
			if err != nil {
				return nil, err
			}
			f.processes[number] = p
			return &chaos.Connection{Backend: p, Sever: func() { p.link.Cut(f.tb) }}, nil
		},
	}
}

// brief bounds what an administrator does.
func brief(tb testing.TB) (context.Context, context.CancelFunc) {
	tb.Helper()
	return context.WithTimeout(tb.Context(), 5*time.Second)
}

// lines passes on what clients say while their test runs.
type lines struct {
	mu sync.Mutex
	tb testing.TB
}

// Printf implements [reception.Logger].
func (l *lines) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tb.Context().Err() == nil {
		l.tb.Logf(format, args...)
	}
}
