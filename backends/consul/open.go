package consul

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// OpenSession implements [driver.Backend]. It registers the helper service, whose check passes from the start.
func (b *backend) OpenSession(
	ctx context.Context, in *driver.OpenSessionRequest,
) (*driver.OpenSessionResponse, error) {
	ttl, every := b.settings.ttl, b.settings.interval()
	if in.TTL > 0 {
		ttl, every = in.TTL, in.TTL/3
	}
	if err := b.checkDatacenter(ctx); err != nil {
		return nil, err
	}
	s := &session{id: driver.SessionID(uuid.NewString()), ttl: ttl, seats: make(map[string]*seat)}
	s.life, s.end = context.WithCancel(b.life)
	helper := &api.AgentServiceRegistration{
		ID: helperID(s.id), Name: helperName, Meta: map[string]string{metaSession: string(s.id)},
	}
	if b.checks == nil {
		s.timed = true
		helper.Checks = api.AgentServiceChecks{b.ttlCheck(s)}
	} else {
		s.asks = b.checks.expect(s.id)
		helper.Checks = api.AgentServiceChecks{b.httpCheck(s)}
	}
	if err := b.put(ctx, helper); err != nil {
		s.end()
		s.silence()
		return nil, err
	}
	b.sessions.add(s)
	return &driver.OpenSessionResponse{Session: s.id, TTL: ttl, RenewEvery: every}, nil
}

// put registers a service with the agent. Checks that it had under other names are gone then.
func (b *backend) put(ctx context.Context, service *api.AgentServiceRegistration) error {
	return b.write(ctx, func(ctx context.Context) error {
		opts := api.ServiceRegisterOpts{ReplaceExistingChecks: true}
		return b.client.Agent().ServiceRegisterOpts(service, opts.WithContext(ctx))
	})
}

// take removes a service from the agent. One that is gone already is fine.
func (b *backend) take(ctx context.Context, service string) error {
	return b.write(ctx, func(ctx context.Context) error {
		err := b.client.Agent().ServiceDeregisterOpts(service, options(ctx))
		if unknown(err) {
			return nil
		}
		return err
	})
}

// ttlCheck is the check that wants a heartbeat before every TTL is over.
func (b *backend) ttlCheck(s *session) *api.AgentServiceCheck {
	return &api.AgentServiceCheck{
		CheckID: ttlCheckOf(s.id), Name: "heartbeat of a client of reception",
		TTL: s.ttl.String(), Status: api.HealthPassing,
		DeregisterCriticalServiceAfter: b.settings.removeHelper().String(),
	}
}

// httpCheck is the check by which Consul asks this process.
func (b *backend) httpCheck(s *session) *api.AgentServiceCheck {
	status := api.HealthPassing
	if !b.checks.trusted() {
		status = api.HealthCritical // until Consul has reached this process again
	}
	return &api.AgentServiceCheck{
		CheckID: httpCheckOf(s.id), Name: "health of a client of reception", HTTP: b.checks.url(s.id),
		Interval: b.settings.checkInterval.String(), Timeout: b.settings.checkTimeout.String(), Status: status,
		DeregisterCriticalServiceAfter: b.settings.removeHelper().String(),
	}
}

func ttlCheckOf(session driver.SessionID) string { return helperID(session) + ":ttl" }

func httpCheckOf(session driver.SessionID) string { return helperID(session) + ":http" }

// checkDatacenter refuses to write where the agent does not: it registers in its own data centre.
func (b *backend) checkDatacenter(ctx context.Context) error {
	wanted := b.settings.datacenter
	if wanted == "" {
		return nil
	}
	var self map[string]map[string]any
	err := b.read(ctx, func(ctx context.Context) error {
		_, err := b.client.Raw().Query("/v1/agent/self", &self, options(ctx)) // Agent().Self takes no context
		return err
	})
	if err != nil {
		return err
	}
	if own, _ := self["Config"]["Datacenter"].(string); own != wanted {
		return fmt.Errorf("%w: the agent belongs to data centre %q, where it registers, and the client reads that of %q",
			driver.ErrUnavailable, own, wanted)
	}
	return nil
}

// CloseSession implements [driver.Backend]. What it could not do is done when it is called again.
func (b *backend) CloseSession(
	ctx context.Context, in *driver.CloseSessionRequest,
) (*driver.CloseSessionResponse, error) {
	if b.life.Err() != nil {
		return nil, driver.ErrClosed
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s := b.sessions.get(in.Session)
	if s == nil {
		return &driver.CloseSessionResponse{}, nil
	}
	s.end()
	s.silence()
	if err := b.closeLocks(ctx, s); err != nil {
		return nil, err
	}
	if err := b.fade(ctx, s); err != nil {
		return nil, err
	}
	if err := b.evict(ctx, s.id); err != nil {
		return nil, err
	}
	if err := b.take(ctx, helperID(s.id)); err != nil { // which must come last, see outlive
		return nil, err
	}
	b.sessions.remove(s)
	return &driver.CloseSessionResponse{}, nil
}

// fade makes everything that lives on a session leave the lists at once, where that can be said.
func (b *backend) fade(ctx context.Context, s *session) error {
	if !s.hasTTL() || len(b.homes.on(s.id)) == 0 {
		return nil
	}
	return b.write(ctx, func(ctx context.Context) error {
		err := b.client.Agent().UpdateTTLOpts(ttlCheckOf(s.id), "closed", api.HealthCritical, options(ctx))
		if unknown(err) {
			return nil
		}
		return err
	})
}

// evictions is how many services are removed at a time.
const evictions = 16

// evict removes the instances that live on a session.
func (b *backend) evict(ctx context.Context, session driver.SessionID) error {
	services := b.homes.on(session)
	errs := make(chan error)
	next := make(chan string)
	for range evictions {
		go func() {
			var failure error
			for service := range next {
				if failure == nil {
					failure = b.evictOne(ctx, session, service)
				}
			}
			errs <- failure
		}()
	}
	for _, service := range services {
		next <- service
	}
	close(next)
	var failure error
	for range evictions {
		if err := <-errs; err != nil {
			failure = err
		}
	}
	return failure
}

// evictOne removes an instance unless it has moved meanwhile.
func (b *backend) evictOne(ctx context.Context, session driver.SessionID, service string) error {
	unlock, err := b.writes.lock(ctx, service)
	if err != nil {
		return err
	}
	defer unlock()
	if at := b.homes.get(service); at.session != session && at.session != "" {
		return nil
	}
	if err := b.take(ctx, service); err != nil {
		return err
	}
	b.homes.remove(service)
	return nil
}
