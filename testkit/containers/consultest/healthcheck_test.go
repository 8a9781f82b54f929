package consultest

import (
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/hazards"
)

// TestConsulAsks has Consul ask this process for its health: the instance is there as long as it is answered, and its
// owner is told when Consul has not asked for longer than it was to.
func TestConsulAsks(t *testing.T) {
	t.Parallel()
	server := containers.StartConsul(t)
	link := server.NewLink(t)
	back := newBackway(t)
	client := dial(t, link.Endpoints()[0],
		consul.WithHost(containers.HostName), consul.WithListenHost("127.0.0.1"), consul.WithPort(back.inside),
		consul.WithAdvertisedPort(back.outside), consul.WithCheckInterval(time.Second), consul.WithCheckTimeout(time.Second),
		consul.WithCheckDeregisterTimeout(5*time.Second))
	reader := dial(t, server.Endpoints()[0], consul.WithTTLChecks())
	var told hazards.Recorder
	ok(t, client.Register(t.Context(), service("api", "1"), told.Note))
	keeps(t, 2*ttl, func() string { return "an instance that answers is not listed" }, func() bool {
		got, err := ids(t.Context(), reader, "api")
		return err == nil && len(got) == 1
	})
	checks, err := open(t, server.Endpoints()[0]).Agent().Checks()
	ok(t, err)
	asks := 0
	for _, check := range checks {
		if check.Type == "http" && check.Status == api.HealthPassing {
			asks++
		}
	}
	if asks != 1 {
		t.Errorf("%d HTTP checks of one client", asks)
	}

	heal := back.cut() // the client still reaches Consul, and Consul does not reach the client
	start := time.Now()
	sees(t, 2*time.Second+grace, reader, "api")
	t.Logf("out of the lists %v after the way back was cut", time.Since(start))
	eventually(t, 5*time.Second+step+grace, func() string { return "the owner is told that consul does not ask" }, func() bool {
		return told.Count(reception.ErrNoConsulHealthCheck) > 0
	})
	heal()
	sees(t, step+grace, reader, "api", "1")
}

// TestRegisterWhereConsulCannotAsk registers with a host that leads nowhere.
func TestRegisterWhereConsulCannotAsk(t *testing.T) {
	t.Parallel()
	_, err := connect(t, shared(t).Endpoints()[0], consul.WithHost("0.0.0.0"))
	if !errors.Is(err, reception.ErrIllegalHost) {
		t.Errorf("an unspecified host: %v", err)
	}
}
