package conformance_test

import (
	"slices"
	"testing"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
)

// TestCoverage sees that calls count, each for what it has shown and nothing else.
func TestCoverage(t *testing.T) {
	var c conformance.Coverage
	for _, op := range driver.Operations() {
		if !slices.Contains(c.Missing(), op.Name) {
			t.Errorf("%s is covered before anything was called", op.Name)
		}
	}
	b := c.Intercept(fake.NewCluster().Backend())
	defer b.Close()
	covers := func(what string, want bool) {
		t.Helper()
		if got := !slices.Contains(c.Missing(), what); got != want {
			t.Errorf("%q is covered: %v, want %v", what, got, want)
		}
	}
	ctx := t.Context()
	if _, err := b.GetLeader(ctx, &driver.GetLeaderRequest{Election: "job"}); err == nil {
		t.Fatal("somebody leads")
	}
	covers("GetLeader: "+driver.ErrNoLeader.Error(), true)
	covers("GetLeader", false)
	if _, err := b.ListNames(ctx, &driver.ListNamesRequest{}); err != nil {
		t.Fatal(err)
	}
	covers("ListNames", true)
	stream, err := b.OpenWatchService(ctx, &driver.WatchServiceRequest{Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	covers("WatchService", false) // it has delivered nothing yet
	if _, err := stream.Next(ctx); err != nil {
		t.Fatal(err)
	}
	covers("WatchService", true)
	for _, row := range c.Rows() {
		if row.Operation == "ListNames" && row.Succeeded != 1 || row.Operation == "Withdraw" && row.Succeeded != 0 {
			t.Errorf("%+v", row)
		}
	}
}
