package reception

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

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
	if err := validateCampaign(election, candidate); err != nil {
		return nil, c.wrap("Campaign", "", err)
	}
	stored := toDriverService(candidate) // a copy, taken before anything that waits
	waiting, cancel, err := c.begin(ctx)
	if err != nil {
		return nil, c.wrap("Campaign", election, canceled(err))
	}
	defer cancel()
	t, err := c.campaigns.win(waiting, election, stored)
	if err != nil {
		return nil, c.wrap("Campaign", election, err)
	}
	return t, nil
}

// canceled makes the end of a context the end of a campaign. That of the client stays what it is.
func canceled(cause error) error {
	if errors.Is(cause, ErrClosed) {
		return cause
	}
	return fmt.Errorf("%w: %w", ErrElectionCanceled, cause)
}

// win campaigns until the election is won. Whatever befalls one candidacy, the next one begins with a session of its
// own, at the end of the queue.
func (s *campaigns) win(ctx context.Context, election string, service driver.Service) (*term, error) {
	retry := s.c.retrier()
	for {
		t, err := s.attempt(ctx, election, service)
		switch {
		case err == nil:
			return t, nil
		case ctx.Err() != nil:
			return nil, canceled(ended(ctx))
		case errors.Is(err, ErrPermission), errors.Is(err, ErrClosed):
			return nil, err
		}
		s.c.log.Printf("reception: campaign in %s on %s is trying again: %v", election, s.c.backend.Name(), err)
		if pause(ctx, retry.NextBackOff()) != nil {
			return nil, canceled(ended(ctx))
		}
	}
}

// attempt is one candidacy, from its session to its term or its end.
func (s *campaigns) attempt(ctx context.Context, election string, service driver.Service) (*term, error) {
	sent := time.Now()
	opened, err := s.c.backend.OpenSession(ctx, &driver.OpenSessionRequest{})
	if err != nil {
		return nil, err
	}
	y := &candidacy{
		s: s, election: election, service: service, session: opened.Session,
		renewal: newRenewal(sent, opened, s.c.renewing(opened.Session)), withdrawal: newPursuit(),
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

// forget drops what is over.
func (s *campaigns) forget(y *candidacy, t *term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.candidacies, y)
	delete(s.terms, t)
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

// withdraw gives up every candidacy and term at the backend, by closing the session of each.
func (s *campaigns) withdraw(ctx context.Context) error {
	s.mu.Lock()
	var sessions []driver.SessionID
	for y := range s.candidacies {
		sessions = append(sessions, y.session)
	}
	s.mu.Unlock()
	var group errgroup.Group
	group.SetLimit(16)
	for _, id := range sessions {
		group.Go(func() error {
			_, err := s.c.backend.CloseSession(ctx, &driver.CloseSessionRequest{Session: id})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return errors.Join(errors.New("candidacies are left to their time to live"), err)
	}
	return nil
}
