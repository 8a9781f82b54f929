package chaos_test

import (
	"testing"

	"github.com/go-reception/sdk/testkit/chaos"
)

func TestSummary(t *testing.T) {
	var sum chaos.Summary
	sum.Add(1, &chaos.Report{Steps: 30, Strikes: map[string]int{"cut": 1, "wipe": 2}})
	sum.Add(2, &chaos.Report{Steps: 20, Strikes: map[string]int{"cut": 1, "kill": 3}})
	sum.Add(3, &chaos.Report{Steps: 40})
	if sum.Least != 20 || sum.Most != 40 || sum.Steps != 90 {
		t.Errorf("from %d to %d operations, %d in all", sum.Least, sum.Most, sum.Steps)
	}
	if got, want := sum.Struck(), "3 × kill, 2 × cut, 2 × wipe"; got != want {
		t.Errorf("what struck: %q, want %q", got, want)
	}
}
