package conformance

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A member is a client of its own connection, as a process of its own would be.
type member struct {
	reception.Client
	*line

	s   *scene
	raw driver.Backend
	log *lines
}

// member adds a client to the scene.
func (s *scene) member() *member {
	s.Helper()
	log := &lines{}
	raw, recorded := s.connect(log)
	m := &member{line: &line{}, s: s, raw: raw, log: log}
	m.Client = reception.NewClient(driver.Intercept(recorded, m.intercept), s.run.options(m.log)...)
	s.Cleanup(func() {
		_ = m.Close() // what it leaves is not this case's
		if s.Failed() {
			s.Logf("what the client %p has logged:\n%s", m, m.log)
		}
	})
	return m
}

// pair adds two clients to the scene.
func (s *scene) pair() (a, b *member) {
	s.Helper()
	return s.member(), s.member()
}

// lines are the last lines that a client has logged.
type lines struct {
	mu   sync.Mutex
	last []string
}

// Printf implements reception.Logger.
func (l *lines) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
	if len(l.last) > 40 {
		l.last = slices.Delete(l.last, 0, 1)
	}
}

// String returns the lines.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.last, "\n")
}

// register registers services without a callback.
func (m *member) register(services ...*reception.Service) {
	m.s.Helper()
	for _, service := range services {
		if err := m.Register(m.s.ctx(), service, nil); err != nil {
			m.s.Fatalf("Register %s/%s: %v", service.Name, service.ID, err)
		}
	}
}

// told registers a service and returns what its callback will be told.
func (m *member) told(service *reception.Service) *calls {
	m.s.Helper()
	calls := m.s.calls()
	if err := m.Register(m.s.ctx(), service, calls.note); err != nil {
		m.s.Fatalf("Register %s/%s: %v", service.Name, service.ID, err)
	}
	return calls
}

// deregister deregisters services.
func (m *member) deregister(services ...*reception.Service) {
	m.s.Helper()
	for _, service := range services {
		if err := m.Deregister(m.s.ctx(), service); err != nil {
			m.s.Fatalf("Deregister %s/%s: %v", service.Name, service.ID, err)
		}
	}
}

// list lists the instances of name.
func (m *member) list(name string) []*reception.Service {
	m.s.Helper()
	services, err := m.ListServices(m.s.ctx(), name)
	if err != nil {
		m.s.Fatalf("ListServices %s: %v", name, err)
	}
	return services
}

// ids lists the IDs of the instances of name, in order.
func (m *member) ids(name string) []string {
	m.s.Helper()
	return idsOf(m.list(name))
}

// shows says whether the instances of name are exactly those services, whatever their order.
func (m *member) shows(name string, services ...*reception.Service) bool {
	m.s.Helper()
	return sameServices(m.list(name), services)
}

// seesAtOnce fails the case unless the instances of name are exactly those services now.
func (m *member) seesAtOnce(name string, services ...*reception.Service) {
	m.s.Helper()
	if got := m.list(name); !sameServices(got, services) {
		m.s.Fatalf("the list of %s is %s, want %s", name, text(got), text(services))
	}
}

// sees fails the case unless the instances of name become exactly those services within that time.
func (m *member) sees(within time.Duration, name string, services ...*reception.Service) {
	m.s.Helper()
	m.s.eventually(within, fmt.Sprintf("the list of %s is %s", name, text(services)), func() bool {
		return m.shows(name, services...)
	})
}

// keepsSeeing fails the case unless the instances of name are, or soon become, exactly those services, and stay that for
// the time given.
func (m *member) keepsSeeing(during time.Duration, name string, services ...*reception.Service) {
	m.s.Helper()
	m.sees(m.s.soon(), name, services...)
	m.s.never(during, fmt.Sprintf("the list of %s is not %s any more", name, text(services)), func() bool {
		return !m.shows(name, services...)
	})
}

// restores waits until the member has restored records that many times.
func (m *member) restores(times int, within time.Duration) {
	m.s.Helper()
	m.s.eventually(within, fmt.Sprintf("records were restored %d times", times), func() bool {
		return len(m.confirmed(driver.OpRestore)) >= times
	})
}

// restoresOn waits until the member has restored records on that many sessions. One that it restores on a session which is
// then found to be gone is not back.
func (m *member) restoresOn(sessions int, within time.Duration) {
	m.s.Helper()
	m.s.eventually(within, fmt.Sprintf("records were restored on %d sessions", sessions), func() bool {
		on := make(map[driver.SessionID]bool)
		for _, c := range m.confirmed(driver.OpRestore) {
			on[c.Request.(*driver.RestoreRequest).Session] = true //nolint:errcheck // the operation's own
		}
		return len(on) >= sessions
	})
}

// cut cuts the member off until heal is called.
func (m *member) cut() (heal func()) { return m.s.undo(m.s.cluster.Cut(m.raw)) }

// freeze makes the member's connection swallow everything until thaw is called.
func (m *member) freeze() (thaw func()) { return m.s.undo(m.s.cluster.Freeze(m.raw)) }

// undo returns f, which is called once: by the case or after it.
func (s *scene) undo(f func()) func() {
	f = sync.OnceFunc(f)
	s.Cleanup(f)
	return f
}

// hold is line.hold, released at the latest when the case is over.
func (m *member) hold(op *driver.Operation) *held {
	h := m.line.hold(op)
	m.s.Cleanup(h.release)
	return h
}

// expire has the servers drop the member's sessions.
func (m *member) expire() { m.s.cluster.Expire(m.raw) }

// horizon returns until when the calls of op that have been confirmed so far are good, by the member's own clock.
func (m *member) horizon(op *driver.Operation) time.Time {
	var latest time.Time
	for _, c := range m.confirmed(op) {
		if until := c.sent.Add(goodFor(c.response)); until.After(latest) {
			latest = until
		}
	}
	return latest
}

func goodFor(response any) time.Duration {
	switch r := response.(type) {
	case *driver.OpenSessionResponse:
		return r.TTL
	case *driver.RenewSessionResponse:
		return r.GoodFor
	case *driver.ConfirmResponse:
		return r.GoodFor
	default:
		return 0
	}
}
