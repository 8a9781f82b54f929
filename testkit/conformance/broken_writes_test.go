package conformance_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// brokenWrites are wrong in what they store and remove.
func brokenWrites() []broken {
	type (
		request = driver.RegisterRequest
		restore = driver.RestoreRequest
		remove  = driver.DeregisterRequest
	)
	registers, restores, removes := driver.OpRegister, driver.OpRestore, driver.OpDeregister
	return []broken{
		{name: "Register does not take over", rules: []string{"R4"}, wrap: instead(registers,
			func(ctx context.Context, b driver.Backend, r *request, _ invocation) (any, error) {
				restored, err := b.Restore(ctx, &restore{Session: r.Session, Instance: r.Instance})
				if errors.Is(err, driver.ErrReplaced) {
					return &driver.RegisterResponse{}, nil
				} else if err != nil {
					return nil, err
				}
				return &driver.RegisterResponse{Revision: restored.Revision}, nil
			})},
		{name: "Register does not update", rules: []string{"R3"}, wrap: instead(registers,
			func(ctx context.Context, b driver.Backend, r *request, invoke invocation) (any, error) {
				for _, instance := range stored(ctx, b, r.Instance.Service.Name) {
					if instance.Service.ID == r.Instance.Service.ID && instance.Owner == r.Instance.Owner {
						return &driver.RegisterResponse{}, nil
					}
				}
				return invoke(ctx)
			})},
		{name: "Register updates by removing first", rules: []string{"R3"}, wrap: instead(registers,
			func(ctx context.Context, b driver.Backend, r *request, invoke invocation) (any, error) {
				s := r.Instance.Service
				for _, instance := range stored(ctx, b, s.Name) {
					if instance.Service.ID == s.ID {
						_, _ = b.Deregister(ctx, &remove{Name: s.Name, ID: s.ID, Owner: instance.Owner, Generation: instance.Generation})
					}
				}
				time.Sleep(50 * time.Millisecond)
				return invoke(ctx)
			})},
		{
			name: "Register says nothing of whom it displaces", rules: []string{"R4"},
			wrap: answering(registers, func(r *driver.RegisterResponse) { r.Displaced = "" }),
		},
		{name: "Register is confirmed before it is carried out", rules: []string{"R1"}, wrap: instead(registers,
			func(_ context.Context, b driver.Backend, r *request, _ invocation) (any, error) {
				late := *r
				time.AfterFunc(100*time.Millisecond, func() { _, _ = b.Register(context.Background(), &late) })
				return &driver.RegisterResponse{}, nil
			})},
		{
			name: "Register has no revision", rules: []string{"L6"},
			wrap: answering(registers, func(r *driver.RegisterResponse) { r.Revision = 0 }),
		},
		{name: "names are stored in lower case", rules: []string{"V1"}, wrap: storing(func(s *driver.Service) {
			s.Name = strings.ToLower(s.Name)
		})},
		{name: "IDs are stored in lower case", rules: []string{"V1"}, wrap: storing(func(s *driver.Service) {
			s.ID = strings.ToLower(s.ID)
		})},
		{name: "host names are stored in lower case", rules: []string{"V2"}, wrap: storing(func(s *driver.Service) {
			s.Address = strings.ToLower(s.Address)
		})},
		{name: "values are trimmed", rules: []string{"V3"}, wrap: storingAttributes(func(key, value string) (string, string) {
			return key, strings.TrimSpace(value)
		})},
		{name: "keys are stored in lower case", rules: []string{"V3"}, wrap: storingAttributes(func(key, value string) (string, string) {
			return strings.ToLower(key), value
		})},
		{name: "values of more than 255 bytes are cut", rules: []string{"V3"}, wrap: storingAttributes(func(key, value string) (string, string) {
			return key, value[:min(len(value), 255)]
		})},
		{name: "the port is lost", rules: []string{"V2", "R1"}, wrap: storing(func(s *driver.Service) { s.Port = 0 })},
		{name: "Restore overwrites", rules: []string{"R4"}, wrap: instead(restores,
			func(ctx context.Context, b driver.Backend, r *restore, _ invocation) (any, error) {
				registered, err := b.Register(ctx, &request{Session: r.Session, Instance: r.Instance})
				if err != nil {
					return nil, err
				}
				return &driver.RestoreResponse{Revision: registered.Revision}, nil
			})},
		{name: "Restore does nothing", rules: []string{"R4", "R5", "R6"}, wrap: instead(restores,
			func(context.Context, driver.Backend, *restore, invocation) (any, error) {
				return &driver.RestoreResponse{}, nil
			})},
		{name: "Restore calls an absent record replaced", rules: []string{"R4", "R5", "R6"}, wrap: instead(restores,
			func(ctx context.Context, b driver.Backend, r *restore, invoke invocation) (any, error) {
				if len(stored(ctx, b, r.Instance.Service.Name)) == 0 {
					return nil, driver.ErrReplaced
				}
				return invoke(ctx)
			})},
		{name: "Deregister does nothing", rules: []string{"R8"}, wrap: instead(removes,
			func(context.Context, driver.Backend, *remove, invocation) (any, error) {
				return &driver.DeregisterResponse{Removed: true}, nil
			})},
		{name: "Deregister ignores the owner", rules: []string{"R4"}, wrap: instead(removes,
			func(ctx context.Context, b driver.Backend, r *remove, _ invocation) (any, error) {
				for _, instance := range stored(ctx, b, r.Name) {
					if instance.Service.ID == r.ID {
						return b.Deregister(ctx, &remove{Name: r.Name, ID: r.ID, Owner: instance.Owner, Generation: r.Generation})
					}
				}
				return &driver.DeregisterResponse{}, nil
			})},
		{name: "Deregister ignores the generation", rules: []string{"R4", "R8"}, wrap: instead(removes,
			func(ctx context.Context, b driver.Backend, r *remove, _ invocation) (any, error) {
				return b.Deregister(ctx, &remove{Name: r.Name, ID: r.ID, Owner: r.Owner, Generation: r.Generation + 1000})
			})},
		{
			name: "Deregister always says that it has removed", rules: []string{"R4"},
			wrap: answering(removes, func(r *driver.DeregisterResponse) { r.Removed = true }),
		},
	}
}

// stored lists what a backend stores; nothing if it cannot be asked.
func stored(ctx context.Context, b driver.Backend, name string) []*driver.Instance {
	listed, err := b.ListServices(ctx, &driver.ListServicesRequest{Name: name})
	if err != nil {
		return nil
	}
	return listed.Instances
}

// storing returns a backend that changes services on their way in.
func storing(change func(*driver.Service)) func(driver.Backend) driver.Backend {
	changed := func(instance driver.Instance) driver.Instance {
		instance = instance.Clone()
		change(&instance.Service)
		return instance
	}
	registers := instead(driver.OpRegister,
		func(ctx context.Context, b driver.Backend, r *driver.RegisterRequest, _ invocation) (any, error) {
			return b.Register(ctx, &driver.RegisterRequest{Session: r.Session, Instance: changed(r.Instance)})
		})
	restores := instead(driver.OpRestore,
		func(ctx context.Context, b driver.Backend, r *driver.RestoreRequest, _ invocation) (any, error) {
			return b.Restore(ctx, &driver.RestoreRequest{Session: r.Session, Instance: changed(r.Instance)})
		})
	return func(b driver.Backend) driver.Backend { return restores(registers(b)) }
}

// storingAttributes is storing for each attribute.
func storingAttributes(change func(key, value string) (string, string)) func(driver.Backend) driver.Backend {
	return storing(func(s *driver.Service) {
		before := maps.Clone(s.Attributes)
		clear(s.Attributes)
		for key, value := range before {
			key, value = change(key, value)
			s.Attributes[key] = value
		}
	})
}

// brokenSessions are wrong in how sessions live.
func brokenSessions() []broken {
	type (
		renew  = driver.RenewSessionRequest
		opened = driver.OpenSessionResponse
	)
	return []broken{
		{name: "renewals are confirmed and not carried out", rules: []string{"R7"}, wrap: instead(driver.OpRenewSession,
			func(context.Context, driver.Backend, *renew, invocation) (any, error) {
				return &driver.RenewSessionResponse{GoodFor: onfakeTTL}, nil
			})},
		{
			name: "renewals are good for too long", rules: []string{"R5"},
			wrap: answering(driver.OpRenewSession, func(r *driver.RenewSessionResponse) { r.GoodFor *= 2 }),
		},
		{
			name: "a session is said to last longer than it does", rules: []string{"R7"},
			wrap: answering(driver.OpOpenSession, func(r *opened) { r.TTL, r.RenewEvery = 2*r.TTL, 2*r.TTL-1 }),
		},
		{name: "sessions hardly ever expire", rules: []string{"R7", "E1"}, wrap: instead(driver.OpOpenSession,
			func(ctx context.Context, b driver.Backend, _ *driver.OpenSessionRequest, _ invocation) (any, error) {
				session, err := b.OpenSession(ctx, &driver.OpenSessionRequest{TTL: 100 * onfakeTTL})
				if err != nil {
					return nil, err
				}
				return &opened{Session: session.Session, TTL: onfakeTTL, RenewEvery: onfakeTTL / 3}, nil
			})},
		{name: "a session that is gone is renewed", rules: []string{"R7"}, wrap: failing(func(c driver.Call, err error) error {
			if c.Operation == driver.OpRenewSession && errors.Is(err, driver.ErrSessionExpired) {
				return nil
			}
			return err
		})},
		{name: "a session that is gone takes writes", rules: []string{"R7"}, wrap: failing(func(c driver.Call, err error) error {
			if c.Operation == driver.OpRegister && errors.Is(err, driver.ErrSessionExpired) {
				return nil
			}
			return err
		})},
		{name: "CloseSession does nothing", rules: []string{"R7", "R9"}, wrap: instead(driver.OpCloseSession,
			func(context.Context, driver.Backend, *driver.CloseSessionRequest, invocation) (any, error) {
				return &driver.CloseSessionResponse{}, nil
			})},
	}
}

// brokenErrors are wrong in what they say has gone wrong.
func brokenErrors() []broken {
	return []broken{
		{name: "errors are texts", rules: []string{"R4", "R7", "E3"}, wrap: failing(func(_ driver.Call, err error) error {
			return errors.New(err.Error())
		})},
		{name: "a backend that is closed is unavailable", rules: []string{"R9"}, wrap: failing(func(_ driver.Call, err error) error {
			if errors.Is(err, driver.ErrClosed) {
				return driver.ErrUnavailable
			}
			return err
		})},
		{name: "a wait goes on after Close", rules: []string{"R9"}, wrap: func(b driver.Backend) driver.Backend {
			return &endless{b}
		}},
		{name: "errors of contexts are hidden", rules: []string{"R9"}, wrap: failing(func(_ driver.Call, err error) error {
			if errors.Is(err, context.DeadlineExceeded) {
				return driver.ErrUnavailable
			}
			return err
		})},
	}
}

// brokenProcesses do not leave the process of the test whole: a crash or a hang is a verdict, too.
func brokenProcesses() []broken {
	return []broken{
		{name: "a list panics", rules: []string{"L1"}, wrap: instead(driver.OpListServices,
			func(context.Context, driver.Backend, *driver.ListServicesRequest, invocation) (any, error) {
				panic("a mistake of the adapter's")
			})},
		{name: "a goroutine panics", rules: []string{"L7"}, wrap: instead(driver.OpListNames,
			func(ctx context.Context, b driver.Backend, r *driver.ListNamesRequest, _ invocation) (any, error) {
				go panic("a mistake of the adapter's")
				time.Sleep(time.Second)
				return b.ListNames(ctx, r)
			})},
		{name: "a turn never returns", rules: []string{"E4"}, wrap: instead(driver.OpAwaitTurn,
			func(context.Context, driver.Backend, *driver.AwaitTurnRequest, invocation) (any, error) { select {} })},
	}
}

// endless is a backend whose waiting candidates do not notice that it was closed.
type endless struct{ driver.Backend }

func (b *endless) AwaitTurn(ctx context.Context, r *driver.AwaitTurnRequest) (*driver.AwaitTurnResponse, error) {
	turn, err := b.Backend.AwaitTurn(ctx, r)
	if errors.Is(err, driver.ErrClosed) {
		<-ctx.Done()
	}
	return turn, err
}
