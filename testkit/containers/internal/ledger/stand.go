package ledger

import (
	"context"
	"fmt"
	"strconv"
)

// A stand is a backend whose server runs.
type stand struct {
	backend Backend
	server  Server
	names   map[int]string // of those that were filled, by their size
	spare   Server         // an empty one, for figures that lose their data; nil until it is asked for
	log     func(format string, args ...any)
}

// erect starts a backend's server.
func erect(ctx context.Context, b Backend, log func(string, ...any)) (*stand, error) {
	server, err := b.Start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	return &stand{backend: b, server: server, names: map[int]string{}, log: log}, nil
}

// filled returns a name that has n instances.
func (s *stand) filled(ctx context.Context, n int) (string, error) {
	if name, there := s.names[n]; there {
		return name, nil
	}
	name := "of-" + strconv.Itoa(n)
	s.log("%s: storing %d instances", s.backend.Name, n)
	if err := s.backend.Fill(ctx, s.server, name, n); err != nil {
		return "", fmt.Errorf("store %d instances: %w", n, err)
	}
	s.names[n] = name
	return name, nil
}

// other returns a second server.
func (s *stand) other(ctx context.Context) (Server, error) {
	if s.spare == nil {
		s.log("%s: starting a second server", s.backend.Name)
		server, err := s.backend.Start(ctx)
		if err != nil {
			return nil, fmt.Errorf("start a second server: %w", err)
		}
		s.spare = server
	}
	return s.spare, nil
}

// close removes the servers.
func (s *stand) close() error {
	err := s.server.Close()
	if s.spare != nil {
		if other := s.spare.Close(); err == nil {
			err = other
		}
	}
	return err
}
