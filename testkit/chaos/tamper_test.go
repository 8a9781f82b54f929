package chaos_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-reception/sdk/testkit/chaos"
)

// TestTamperedHistories changes a history of a run in which all was well, so that it tells of one violation, and expects
// the check to find that.
func TestTamperedHistories(t *testing.T) {
	clean := play(t, nil, chaos.Plan{Seed: 1}, false)
	if report := clean.Check(); len(report.Findings) > 0 {
		t.Fatalf("to begin with: %v", report.Findings)
	}
	for _, tamper := range []struct {
		rule   string
		change func(*testing.T, *chaos.History)
	}{
		{chaos.RuleOverlap, func(t *testing.T, h *chaos.History) {
			t.Helper()
			// The first term is still held when the second one has begun.
			first, second := terms(t, h)
			i := slices.IndexFunc(h.Events, func(e chaos.Event) bool { return e.Op == "held" && e.Term == second.Term })
			again := h.Events[i]
			again.Process, again.Term, again.Token, again.OK = first.Process, first.Term, first.Token, true
			again.From++
			h.Events = slices.Insert(h.Events, i+1, again)
		}},
		{chaos.RuleLinearizable, func(t *testing.T, h *chaos.History) {
			t.Helper()
			// A holder is told that it does not hold what it holds.
			i := slices.IndexFunc(h.Events, func(e chaos.Event) bool { return e.Op == "held" && e.OK })
			h.Events[i].OK = false
			if j := slices.IndexFunc(h.Events[i+1:], func(e chaos.Event) bool {
				return e.Op == "held" && e.OK && e.Term == h.Events[i].Term
			}); j < 0 {
				t.Fatal("the term is not held again")
			}
		}},
		{chaos.RuleTokens, func(t *testing.T, h *chaos.History) {
			t.Helper()
			first, second := terms(t, h)
			for i := range h.Events {
				if e := &h.Events[i]; e.Term == second.Term {
					e.Token = first.Token
				}
			}
		}},
		{chaos.RuleCounter, func(_ *testing.T, h *chaos.History) {
			h.Events[last(h, "settled")].Value -= 2
		}},
		{chaos.RuleRestored, func(_ *testing.T, h *chaos.History) {
			e := &h.Events[last(h, "settled")]
			e.Instances = e.Instances[1:]
		}},
		{chaos.RuleWithdrawn, func(_ *testing.T, h *chaos.History) {
			// What the first withdrawal took away is seen by each of the last reads.
			gone := h.Events[slices.IndexFunc(h.Events, func(e chaos.Event) bool { return e.Op == "deregister" && e.Err == "" })]
			for i := len(h.Events) * 3 / 4; i < len(h.Events); i++ {
				if h.Events[i].Op == "list" {
					h.Events[i].Instances = append(slices.Clone(h.Events[i].Instances), gone.Name+"="+gone.Version)
				}
			}
		}},
		{chaos.RulePartial, func(_ *testing.T, h *chaos.History) {
			for i := range h.Events {
				if e := &h.Events[i]; e.Op == "list" && e.Process == "observer" {
					e.Instances = nil
				}
			}
		}},
		{chaos.RuleWatcher, func(_ *testing.T, h *chaos.History) {
			e := &h.Events[last(h, "state")]
			e.Instances = e.Instances[1:]
			cut := h.Events[last(h, "settled")]
			e.To = cut.From - 1 // among the last before the end
		}},
		{chaos.RuleLeader, func(_ *testing.T, h *chaos.History) {
			h.Events[last(h, "settled")].Token = 0
		}},
	} {
		t.Run(strings.ReplaceAll(tamper.rule, " ", "-"), func(t *testing.T) {
			h := &chaos.History{Header: clean.Header, Events: slices.Clone(clean.Events)}
			tamper.change(t, h)
			report := h.Check()
			if !slices.ContainsFunc(report.Findings, func(f chaos.Finding) bool { return f.Rule == tamper.rule }) {
				t.Errorf("not found: only %v", report.Findings)
			}
		})
	}
}

// TestTokensOfALaterLife: after a wipe tokens may begin anew, and have to grow from there on.
func TestTokensOfALaterLife(t *testing.T) {
	h := play(t, nil, chaos.Plan{Seed: 5, Wiped: true, Length: 40 * timing.TTL}, false)
	if report := h.Check(); len(report.Findings) > 0 {
		t.Fatalf("to begin with: %v", report.Findings)
	}
	first, second := terms(t, &chaos.History{Events: h.Events[last(h, "new life"):]})
	for i := range h.Events {
		if e := &h.Events[i]; e.Term == second.Term {
			e.Token = first.Token
		}
	}
	if findings := h.Check().Findings; !slices.ContainsFunc(findings, func(f chaos.Finding) bool { return f.Rule == chaos.RuleTokens }) {
		t.Errorf("not found: only %v", findings)
	}
}

// terms are the first two that were won.
func terms(t *testing.T, h *chaos.History) (first, second chaos.Event) {
	t.Helper()
	var won []chaos.Event
	for _, e := range h.Events {
		if e.Op == "campaign" && e.Err == "" {
			won = append(won, e)
		}
	}
	if len(won) < 2 {
		t.Fatal("there were no two terms")
	}
	return won[0], won[1]
}

// last is the index of the last event of a kind before everything was closed.
func last(h *chaos.History, op chaos.Op) int {
	end := slices.IndexFunc(h.Events, func(e chaos.Event) bool { return e.Op == "settled" })
	for i := end; i >= 0; i-- {
		if h.Events[i].Op == op {
			return i
		}
	}
	return -1
}

// TestSavedHistory: what is read back says the same.
func TestSavedHistory(t *testing.T) {
	h := play(t, nil, chaos.Plan{Seed: 2, Wiped: true}, false)
	path := filepath.Join(t.TempDir(), "history.jsonl")
	if err := h.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := chaos.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(h.Header, again.Header) || !reflect.DeepEqual(h.Check(), again.Check()) {
		t.Errorf("saved: %+v\nread: %+v", h.Check(), again.Check())
	}
}

// TestSchedulesAreDrawnFromTheSeed: the same seed gives the same schedule, another seed another one.
func TestSchedulesAreDrawnFromTheSeed(t *testing.T) {
	first, same, other := play(t, nil, chaos.Plan{Seed: 3}, false), play(t, nil, chaos.Plan{Seed: 3}, false),
		play(t, nil, chaos.Plan{Seed: 4}, false)
	if !slices.Equal(first.Header.Schedule, same.Header.Schedule) {
		t.Error("one seed gives two schedules")
	}
	if slices.Equal(first.Header.Schedule, other.Header.Schedule) {
		t.Error("two seeds give one schedule")
	}
}
