package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A campaign is one that is under way.
type campaign struct {
	m        *member
	election string
	cancel   context.CancelFunc
	done     chan struct{}

	// To be read once done is closed:
	term  reception.Term
	err   error
	begun time.Time // when Campaign returned
	ended chan time.Time
}

// campaign starts a campaign on a goroutine of its own. Whatever it is told to check is checked, on that goroutine, the
// moment the campaign is won.
func (m *member) campaign(election, id string, checks ...func()) *campaign {
	ctx, cancel := context.WithCancel(m.s.ctx())
	c := &campaign{m: m, election: election, cancel: cancel, ended: make(chan time.Time, 1)}
	m.s.Cleanup(cancel)
	c.done = m.s.start(func() {
		c.term, c.err = m.Campaign(ctx, election, m.s.service(election, id))
		c.begun = time.Now()
		if c.err != nil {
			return
		}
		for _, check := range checks {
			check()
		}
		// The moment of the end, taken where nothing else can be in the way.
		context.AfterFunc(c.term.Context(), func() { c.ended <- time.Now() })
	})
	return c
}

// queued waits until the backend has confirmed that the campaign's candidate is in the queue.
func (c *campaign) queued() *campaign {
	s := c.m.s
	s.Helper()
	s.eventually(s.step()+s.soon(), "the candidate is in the queue", func() bool { return c.session() != "" })
	return c
}

// session returns the session of the candidacy that has been confirmed to be in the queue.
func (c *campaign) session() driver.SessionID {
	for _, sent := range slices.Backward(c.m.confirmed(driver.OpEnqueue)) {
		if request, ok := sent.Request.(*driver.EnqueueRequest); ok && request.Election == c.election {
			return request.Session
		}
	}
	return ""
}

// elected waits until the campaign is won, and fails the case if it is not within that time.
func (c *campaign) elected(within time.Duration) reception.Term {
	s := c.m.s
	s.Helper()
	s.closes(c.done, within, "the campaign is won")
	if s.ok(c.err); c.term == nil {
		s.Fatal("the campaign has returned neither a term nor an error")
	}
	if !c.term.Held() || c.term.Context().Err() != nil {
		s.Fatalf("a term that has just begun is not held: %v", context.Cause(c.term.Context()))
	}
	return c.term
}

// waits fails the case if the campaign is over.
func (c *campaign) waits() {
	c.m.s.Helper()
	select {
	case <-c.done:
		c.m.s.Fatalf("the campaign is over, and should be waiting: term %v, error %v", c.term, c.err)
	default:
	}
}

// fails waits until the campaign has ended with want.
func (c *campaign) fails(within time.Duration, want error) {
	s := c.m.s
	s.Helper()
	s.closes(c.done, within, "the campaign fails")
	s.is(c.err, want)
}

// lost waits until the term has ended, and returns when that was. The case fails if it does not within that time.
func (c *campaign) lost(within time.Duration) time.Time {
	s := c.m.s
	s.Helper()
	at, ok := receive(c.ended, within)
	if !ok {
		s.Fatalf("the term has not ended within %v", within)
	}
	if c.term.Held() {
		s.Fatalf("the term's context is done, and Held says true")
	}
	return at
}

// leads campaigns and expects to win at once.
func (m *member) leads(election, id string) *campaign {
	m.s.Helper()
	c := m.campaign(election, id)
	c.elected(m.s.election())
	return c
}

// election is how long an election takes that nobody stands in the way of, and less than it takes a session to expire
// that was renewed in time.
func (s *scene) election() time.Duration { return s.TTL/2 + s.soon() }

// leader returns who leads the election, nil for nobody.
func (m *member) leader(election string) *reception.Leader {
	m.s.Helper()
	leader, err := m.Leader(m.s.ctx(), election)
	if err != nil {
		m.s.is(err, reception.ErrNoLeader)
		return nil
	}
	return leader
}

// nobodyLeads fails the case unless nobody leads the election within that time.
func (m *member) nobodyLeads(within time.Duration, election string) {
	m.s.Helper()
	m.s.eventually(within, "nobody leads", func() bool { return m.leader(election) == nil })
}
