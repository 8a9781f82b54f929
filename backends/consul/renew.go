package consul

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// RenewSession implements [driver.Backend].
//
// The agent alone answers a heartbeat, so that proves nothing about what readers see. They see what the servers hold: so
// these are asked first, and a check that is critical there has cost the session its records, whatever the agent says
// of it by now.
//
// How long the answer is good for is what the check allows. It is not what the servers promise: they may find at any
// time that the agent itself has failed, which nobody can rule out in advance.
func (b *backend) RenewSession(
	ctx context.Context, in *driver.RenewSessionRequest,
) (*driver.RenewSessionResponse, error) {
	s, err := b.session(ctx, in.Session)
	if err != nil {
		return nil, err
	}
	failure := b.inspect(ctx, s)
	if errors.Is(failure, driver.ErrSessionExpired) {
		return nil, failure
	}
	if failure != nil {
		// The agent is told all the same: while the servers elect a leader nobody can ask them, and nothing is lost. But
		// a check that has become critical already is not to pass again without a word.
		if err := b.inspectLocally(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := cmp.Or(b.beat(ctx, s), failure); err != nil {
		return nil, err
	}
	if lock := s.lockSession(); lock != "" {
		if err := b.checkLockSession(ctx, s, lock); err != nil {
			return nil, err
		}
	}
	goodFor := s.ttl
	if !s.hasTTL() {
		goodFor = b.settings.checkInterval + b.settings.checkTimeout
	}
	return &driver.RenewSessionResponse{GoodFor: goodFor}, nil
}

// beat sends the heartbeat of a TTL check. Where there is none it asks the agent whether it still has the helper.
func (b *backend) beat(ctx context.Context, s *session) error {
	var gone error
	err := b.write(ctx, func(ctx context.Context) error {
		err := b.beatOnce(ctx, s)
		if unknown(err) {
			gone = err
			return nil
		}
		return err
	})
	if gone != nil {
		return b.expire(ctx, s, fmt.Errorf("the agent has forgotten it: %w", gone))
	}
	return err
}

func (b *backend) beatOnce(ctx context.Context, s *session) error {
	agent := b.client.Agent()
	if s.hasTTL() {
		return agent.UpdateTTLOpts(ttlCheckOf(s.id), "", api.HealthPassing, options(ctx))
	}
	_, _, err := agent.Service(helperID(s.id), options(ctx))
	return err
}

// inspect looks at the session as readers see it. An error that is not ErrSessionExpired says that nobody knows, or that
// the records are hidden for the moment.
func (b *backend) inspect(ctx context.Context, s *session) error {
	if s.asks != nil && s.lockSession() == "" {
		if err := s.asks.failed(); err != nil {
			return b.expire(ctx, s, err)
		}
	}
	answers := 0
	if b.checks != nil {
		answers = b.checks.answered()
	}
	checks, err := b.view(ctx, s)
	if err != nil {
		return err
	}
	passes := false
	for _, check := range checks {
		critical := check.Status == api.HealthCritical
		switch {
		case check.CheckID == ttlCheckOf(s.id) && critical:
			return b.expire(ctx, s, fmt.Errorf("its check has become critical: %s", check.Output))
		case check.CheckID == httpCheckOf(s.id) && critical && s.lockSession() == "":
			return b.unwell(ctx, s, check.Output, answers)
		case check.ServiceID == "" && critical:
			return fmt.Errorf("%w: consul holds the agent's node %s for failed: %s", driver.ErrUnavailable,
				check.Node, check.Output)
		case check.ServiceID != "":
			passes = true
		}
	}
	if passes {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.passed = true
	}
	return nil
}

// inspectLocally looks at the session as the agent sees it.
func (b *backend) inspectLocally(ctx context.Context, s *session) error {
	var found map[string]*api.AgentCheck
	err := b.read(ctx, func(ctx context.Context) (err error) {
		found, err = b.client.Agent().ChecksWithFilterOpts("CheckID == "+strconv.Quote(ttlCheckOf(s.id)), options(ctx))
		return err
	})
	if err != nil {
		return err
	}
	if check := found[ttlCheckOf(s.id)]; check != nil && check.Status == api.HealthCritical {
		return b.expire(ctx, s, fmt.Errorf("its check has become critical: %s", check.Output))
	}
	return nil
}

// unwell is what an HTTP check that fails means: if it has passed before, readers have lost what lives on the session;
// if it has not, because Consul has never reached this process since, they have not got it back. It was seen in a look that
// was begun after so many of Consul's questions had been answered.
func (b *backend) unwell(ctx context.Context, s *session, output string, answers int) error {
	s.mu.Lock()
	passed := s.passed
	s.mu.Unlock()
	b.checks.distrust(answers)
	cause := fmt.Errorf("consul's health check of this process fails: %s", output)
	if passed {
		return b.expire(ctx, s, cause)
	}
	return fmt.Errorf("%w: %w", driver.ErrUnavailable, cause)
}

// view reads what the servers hold of the helper's checks and of those of the agent's node; nothing as long as they have
// not heard of the helper.
func (b *backend) view(ctx context.Context, s *session) (checks api.HealthChecks, err error) {
	node := s.nodeName()
	if node == "" {
		entry, _, err := b.helper(ctx, s, 0)
		if err != nil || entry == nil {
			return nil, err
		}
		return entry.Checks, nil
	}
	var meta *api.QueryMeta
	err = b.read(ctx, func(ctx context.Context) (err error) {
		q := consistent(ctx)
		q.Filter = fmt.Sprintf("ServiceID == %s or ServiceID == %q", strconv.Quote(helperID(s.id)), "")
		checks, meta, err = b.client.Health().Node(node, q)
		if err == nil && len(checks) == 0 && meta.ResultsFilteredByACLs {
			err = errFiltered
		}
		return err
	})
	return checks, err
}

// helper reads the helper as the servers hold it, nil as long as they have not heard of it. With an index it waits until
// there is news.
func (b *backend) helper(ctx context.Context, s *session, index uint64) (*api.ServiceEntry, uint64, error) {
	filter := "Service.ID == " + strconv.Quote(helperID(s.id))
	entries, index, err := b.entries(ctx, helperName, filter, index)
	if err != nil || len(entries) == 0 {
		return nil, index, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.node = entries[0].Node.Node
	return entries[0], index, nil
}

// expire ends a session that has gone, and returns why. The helper stays until nothing lives on it any more: see outlive.
func (b *backend) expire(ctx context.Context, s *session, cause error) error {
	s.end()
	b.outlive(ctx, s.id)
	return fmt.Errorf("%w: %w", driver.ErrSessionExpired, cause)
}

// outlive removes the helper of a session that has ended, as soon as nothing lives on it any more.
//
// It must not be removed before that. An agent that is told to remove a service looks at the aliases of it at that very
// moment, when the service has no check any more and is still there: so they pass, for up to a minute, until the agent
// looks again. For the same reason Consul is told to remove helpers long after it has removed what lived on them.
func (b *backend) outlive(ctx context.Context, id driver.SessionID) {
	s := b.sessions.get(id)
	if s == nil || s.life.Err() == nil || s.lockSession() != "" || b.homes.needed(id) {
		return
	}
	s.silence()
	if err := b.take(ctx, helperID(id)); err != nil {
		b.log.Printf("reception: consul: the helper of session %s is left to consul to remove: %v", id, err)
	}
	b.sessions.remove(s)
}
