package reception

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// campaigns are the candidacies and terms of one client.
type campaigns struct {
	c *client

	mu          sync.Mutex
	candidacies map[*candidacy]struct{}
	terms       map[*term]struct{}
}

func newCampaigns(c *client) *campaigns {
	return &campaigns{c: c, candidacies: make(map[*candidacy]struct{}), terms: make(map[*term]struct{})}
}

// Campaign implements [Client].
func (c *client) Campaign(ctx context.Context, election string, candidate *Service) (Term, error) {
	t, err := c.campaign(ctx, election, candidate, 0)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// campaign campaigns for a term that gives notice a while before its horizon; 0 for none.
func (c *client) campaign(ctx context.Context, election string, candidate *Service, grace time.Duration) (*term, error) {
	if err := validateCampaign(election, candidate); err != nil {
		return nil, c.wrap("Campaign", "", err)
	}
	stored := toDriverService(candidate) // a copy, taken before anything that waits
	waiting, cancel, err := c.begin(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = canceled(err)
		}
		return nil, c.wrap("Campaign", election, c.closing(err))
	}
	defer cancel()
	t, err := c.campaigns.win(waiting, election, stored, grace)
	if err != nil {
		return nil, c.wrap("Campaign", election, c.closing(err))
	}
	return t, nil
}

// canceled makes the end of a context the end of a campaign.
func canceled(cause error) error { return fmt.Errorf("%w: %w", ErrElectionCanceled, cause) }

// win campaigns until the election is won. Whatever befalls one candidacy, the next one begins with a session of its
// own, at the end of the queue.
func (s *campaigns) win(ctx context.Context, election string, service driver.Service, grace time.Duration) (*term, error) {
	retry := s.c.retrier()
	for {
		t, err := s.attempt(ctx, election, service, grace)
		switch {
		case err == nil:
			return t, nil
		case ctx.Err() != nil:
			return nil, canceled(ended(ctx))
		case hopeless(err):
			return nil, err
		}
		s.c.retrying("campaigning in "+election, err)
		if pause(ctx, retry.NextBackOff()) != nil {
			return nil, canceled(ended(ctx))
		}
	}
}

// hopeless says whether err is one that another candidacy would meet, too.
func hopeless(err error) bool {
	return errors.Is(err, ErrPermission) || errors.Is(err, ErrClosed) || errors.Is(err, ErrGraceTooLong)
}

// attempt is one candidacy, from its session to its term or its end.
func (s *campaigns) attempt(
	ctx context.Context, election string, service driver.Service, grace time.Duration,
) (*term, error) {
	id, renewal, err := s.c.openSession(ctx)
	if err != nil {
		return nil, err
	}
	y := &candidacy{
		s: s, election: election, service: service, grace: grace, session: id, renewal: renewal, withdrawal: newPursuit(),
	}
	s.add(y)
	t, err := y.win(ctx)
	if err != nil {
		y.withdraw()
		return nil, err
	}
	return t, nil
}

// add takes a candidacy in, so that Close withdraws it.
func (s *campaigns) add(y *candidacy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.candidacies[y] = struct{}{}
}

// begin takes a term in, so that Close ends it.
func (s *campaigns) begin(t *term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.terms[t] = struct{}{}
}

// endTerm forgets a term that has ended.
func (s *campaigns) endTerm(t *term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.terms, t)
}

// remove forgets a candidacy whose session is closed.
func (s *campaigns) remove(y *candidacy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.candidacies, y)
}

// depose ends every term here and now.
func (s *campaigns) depose(cause error) {
	s.mu.Lock()
	terms := make([]*term, 0, len(s.terms))
	for t := range s.terms {
		terms = append(terms, t)
	}
	s.mu.Unlock()
	for _, t := range terms {
		t.end(cause)
	}
}

// sessions returns those of every candidacy and term.
func (s *campaigns) sessions() []driver.SessionID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sessions []driver.SessionID
	for y := range s.candidacies {
		sessions = append(sessions, y.session)
	}
	return sessions
}
