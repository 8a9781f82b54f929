package consul

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// TestSilentAgentEndsOpening has an agent that does not say which data centre it belongs to.
func TestSilentAgentEndsOpening(t *testing.T) {
	s := newStandIn(t)
	s.script("/v1/health/service/"+helperName, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 1, []*api.ServiceEntry{})
	})
	settings, err := makeSettings([]Option{WithTTLChecks(), WithDatacenter("dc7"), WithOperationTimeout(100 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := dial(t.Context(), s.URL, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	opened := make(chan error, 1)
	go func() {
		_, err := b.OpenSession(t.Context(), &driver.OpenSessionRequest{})
		opened <- err
	}()
	select {
	case err := <-opened:
		if !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("OpenSession: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("OpenSession hangs")
		s.CloseClientConnections()
	}
}
