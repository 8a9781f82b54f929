package ledger

import (
	"os"
	"testing"
	"time"

	"github.com/go-reception/sdk/testkit/containers"
)

func TestMain(m *testing.M) { os.Exit(containers.Main(m)) }

// address is a server that runs already.
type address string

func (a address) Addr() string              { return string(a) }
func (address) Versions() map[string]string { return nil }
func (address) Close() error                { return nil }

// TestParties has the bare clients, and the SDK's, do what the figures ask of them. What a bare client leaves out would
// be counted in its favour.
func TestParties(t *testing.T) {
	t.Parallel()
	for _, backend := range []struct {
		Backend
		shared func(t *testing.T) []string
	}{
		{etcdBackend, func(t *testing.T) []string { t.Helper(); return containers.SharedEtcd(t).Endpoints() }},
		{zooKeeperBackend, func(t *testing.T) []string { t.Helper(); return containers.SharedZooKeeper(t).Endpoints() }},
		{consulBackend, func(t *testing.T) []string { t.Helper(); return containers.SharedConsul(t).Endpoints() }},
	} {
		t.Run(backend.Name, func(t *testing.T) {
			t.Parallel()
			server := address(backend.shared(t)[0])
			stands := &stand{backend: backend.Backend, server: server, names: map[int]string{}, log: t.Logf}
			for side, ofSDK := range map[string]bool{"bare": false, "SDK": true} {
				if ofSDK && backend.SDK == nil {
					continue
				}
				t.Run(side, func(t *testing.T) {
					t.Parallel()
					p := &Phase{N: 12, stand: stands, sdk: ofSDK}
					t.Cleanup(func() { ok(t, p.end()) })
					one, two := connected(t, p), connected(t, p)
					registers(t, p, one, two)
					elects(t, p, one, two)
				})
			}
			t.Run("filled", func(t *testing.T) {
				t.Parallel()
				fills(t, &Phase{N: 7, stand: &stand{
					backend: backend.Backend, server: server, names: map[int]string{}, log: t.Logf,
				}})
			})
		})
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func connected(t *testing.T, p *Phase) Party {
	t.Helper()
	party, err := p.connect(t.Context(), p.sdk, Way{Addr: p.stand.server.Addr(), TTL: 3 * time.Second})
	ok(t, err)
	return party
}

// registers looks at what one party registers with the other one's eyes.
func registers(t *testing.T, p *Phase, one, two Party) {
	t.Helper()
	name := p.Fresh(t.Name()[len("TestParties/"):][:4] + "-party")
	watch, err := two.Watch(t.Context(), name)
	ok(t, err)
	o := observe(t.Context(), watch, 100)
	awaits := func(size int) {
		t.Helper()
		_, _, err := o.await(size)
		ok(t, err)
		listed, err := two.List(t.Context(), name)
		ok(t, err)
		if listed != size {
			t.Fatalf("%d instances are listed, %d were seen", listed, size)
		}
	}
	awaits(0)
	ok(t, registerAll(t.Context(), one, name, p.N))
	if listed, err := one.List(t.Context(), name); err != nil || listed != p.N {
		t.Fatalf("%d instances are listed, %v", listed, err)
	}
	awaits(p.N)
	ok(t, one.Deregister(t.Context(), name, "3"))
	awaits(p.N - 1)
}

// elects has the lead change hands.
func elects(t *testing.T, p *Phase, one, two Party) {
	t.Helper()
	election := p.Fresh("election")
	term, err := one.Campaign(t.Context(), election, "1")
	ok(t, err)
	won := campaign(t.Context(), two, election)
	select {
	case early := <-won:
		t.Fatalf("there are two leaders: %v", early.err)
	case <-time.After(4 * time.Second): // more than a time to live
	}
	ok(t, term.Resign(t.Context()))
	second := <-won
	ok(t, second.err)
	ok(t, second.term.Resign(t.Context()))
}

// fills stores instances as the figures find them.
func fills(t *testing.T, p *Phase) {
	t.Helper()
	t.Cleanup(func() { ok(t, p.end()) })
	name, err := p.Filled(t.Context())
	ok(t, err)
	for _, ofSDK := range []bool{false, true} {
		if ofSDK && p.stand.backend.SDK == nil {
			continue
		}
		p.sdk = ofSDK
		listed, err := connected(t, p).List(t.Context(), name)
		ok(t, err)
		if listed != p.N {
			t.Errorf("SDK %v: %d instances are listed, not %d", ofSDK, listed, p.N)
		}
	}
}
