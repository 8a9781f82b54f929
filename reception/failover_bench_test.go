package reception_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

// BenchmarkFailOver measures whole fail-overs in virtual time: two processes stand for an election, the leader is cut off,
// and 30 seconds later the other one leads. Each has a cluster and a bubble of its own.
func BenchmarkFailOver(b *testing.B) {
	inTest(b, func(t *testing.T) {
		t.Helper()
		for b.Loop() {
			synctest.Test(t, failOver)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "elections/s")
	b.ReportMetric(30*float64(b.N)/b.Elapsed().Seconds(), "virtual-s/s")
}

// inTest runs f with a testing.T, which a bubble asks for and a benchmark does not have.
func inTest(b *testing.B, f func(t *testing.T)) {
	b.Helper()
	all := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: f}}) {
		b.Fatal(errors.New("failed, see above"))
	}
}

func failOver(t *testing.T) {
	cluster := fake.NewCluster(fake.WithTTL(30 * time.Second))
	backend := cluster.Backend()
	first, second := reception.NewClient(backend), cluster.Client()
	candidate := api("a", 1)
	before, err := first.Campaign(t.Context(), "reaper", candidate)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	backend.Cut()
	after, err := second.Campaign(t.Context(), "reaper", candidate)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took != 30*time.Second || before.Held() || after.Token() <= before.Token() {
		t.Fatalf("fail-over after %v, the first term is held: %v, tokens %d and %d",
			took, before.Held(), before.Token(), after.Token())
	}
	backend.Heal()
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
}
