package ledger

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

// fakeBackend is the backend in memory.
var fakeBackend = Backend{
	Name:    "fake",
	LeadTTL: 3 * time.Second,
	Start:   func(context.Context) (Server, error) { return &fakeServer{cluster: fake.NewCluster()}, nil },
	SDK: func(_ context.Context, server Server, _ Way) (reception.Client, error) {
		s, ok := server.(*fakeServer)
		if !ok {
			return nil, errors.New("not a fake cluster")
		}
		return s.cluster.Client(), nil
	},
	Fill: func(ctx context.Context, server Server, name string, n int) error {
		s, ok := server.(*fakeServer)
		if !ok {
			return errors.New("not a fake cluster")
		}
		client := s.cluster.Client()
		s.fillers = append(s.fillers, client)
		for i := range n {
			if err := client.Register(ctx, Instance(name, strconv.Itoa(i)), nil); err != nil {
				return err
			}
		}
		return nil
	},
}

// fakeServer is a cluster in memory.
type fakeServer struct {
	cluster *fake.Cluster
	fillers []reception.Client
}

func (*fakeServer) Addr() string                { return "" }
func (*fakeServer) Versions() map[string]string { return nil }

func (s *fakeServer) Close() error {
	var errs []error
	for _, client := range s.fillers {
		errs = append(errs, client.Close())
	}
	return errors.Join(errs...)
}
