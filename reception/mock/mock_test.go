package mock_test

import (
	"errors"
	"testing"

	"github.com/golang/mock/gomock"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/reception/mock"
)

// The mocks are what they are to stand for.
var (
	_ reception.Client        = (*mock.MockClient)(nil)
	_ reception.Watcher       = (*mock.MockWatcher)(nil)
	_ reception.LeaderWatcher = (*mock.MockLeaderWatcher)(nil)
	_ reception.Term          = (*mock.MockTerm)(nil)
	_ reception.Elector       = (*mock.MockElector)(nil)
	_ reception.Logger        = (*mock.MockLogger)(nil)
	_ driver.Backend          = (*mock.MockBackend)(nil)
)

// What is expected is returned, in the order of the expectations.
func TestReturns(t *testing.T) {
	client := mock.NewMockClient(gomock.NewController(t))
	services := []*reception.Service{{ID: "1", Name: "api"}}
	gomock.InOrder(
		client.EXPECT().ListServices(gomock.Any(), "api").Return(services, nil),
		client.EXPECT().ListServices(gomock.Any(), "api").Return(nil, reception.ErrUnavailable),
		client.EXPECT().Close(),
	)
	if got, err := client.ListServices(t.Context(), "api"); err != nil || len(got) != 1 || got[0] != services[0] {
		t.Errorf("ListServices = %v, %v", got, err)
	}
	if got, err := client.ListServices(t.Context(), "api"); got != nil || !errors.Is(err, reception.ErrUnavailable) {
		t.Errorf("ListServices = %v, %v", got, err)
	}
	if err := client.Close(); err != nil {
		t.Errorf("Close, of which no result was said = %v", err)
	}
}

// Each argument behind the format counts as one of its own.
func TestVariadic(t *testing.T) {
	logger := mock.NewMockLogger(gomock.NewController(t))
	var logged []any
	logger.EXPECT().Printf("%s %d", gomock.Any(), 2).Do(func(_ string, args ...any) { logged = args })
	logger.EXPECT().Printf("plain")
	logger.Printf("%s %d", "one", 2)
	logger.Printf("plain")
	if len(logged) != 2 || logged[0] != "one" || logged[1] != 2 {
		t.Errorf("the action has got %v", logged)
	}
}
