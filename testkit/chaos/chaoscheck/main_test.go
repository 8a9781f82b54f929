package main

import (
	"strings"
	"testing"

	"github.com/go-reception/sdk/testkit/chaos"
)

func TestTell(t *testing.T) {
	header := chaos.Header{Backend: "fake", Plan: chaos.Plan{Seed: 7}, Schedule: []chaos.Step{{Fault: "cut", Victim: 1}}}
	var out strings.Builder
	if tell(&out, "x.jsonl", &chaos.History{Header: header}) {
		t.Error("a history without an end is clean")
	}
	for _, want := range []string{"x.jsonl: fake, seed 7, 0 events", "0s cut 1 for 0s", "1 runs, 1 findings", "not come to its end"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &out)
		}
	}
}
