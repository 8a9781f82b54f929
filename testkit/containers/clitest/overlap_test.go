package clitest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stint is when the job of one term was at work, as it has written itself.
type stint struct {
	token       uint64
	first, last time.Time
}

// stints reads what jobs have written, in the order of their tokens.
func stints(tb testing.TB, path string) []stint {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		tb.Fatal(err)
	}
	byToken := map[uint64]stint{}
	for line := range strings.Lines(string(text)) {
		var token uint64
		var nanos int64
		if n, _ := fmt.Sscan(line, &token, &nanos); n != 2 {
			continue // it was killed while it wrote
		}
		at := time.Unix(0, nanos)
		s, known := byToken[token]
		if !known || at.Before(s.first) {
			s.first = at
		}
		if !known || at.After(s.last) {
			s.last = at
		}
		s.token = token
		byToken[token] = s
	}
	var all []stint
	for _, s := range byToken {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b stint) int { return int(a.token) - int(b.token) })
	return all
}

// TestJobsNeverOverlap has two processes elect for the same job, which heeds no SIGTERM and has a child that heeds none
// either, and makes the leader's link swallow everything: the job is killed before the other's begins, in every trial.
func TestJobsNeverOverlap(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		const trials = 8
		var mu sync.Mutex
		var gaps []time.Duration
		t.Run("trials", func(t *testing.T) {
			for i := range trials {
				t.Run(strconv.Itoa(i), func(t *testing.T) {
					t.Parallel()
					gap := overlapTrial(t, p, p.named("job"+strconv.Itoa(i)))
					mu.Lock()
					defer mu.Unlock()
					gaps = append(gaps, gap)
				})
			}
		})
		if len(gaps) != trials {
			t.Fatalf("%d of %d trials came to an end", len(gaps), trials)
		}
		slices.Sort(gaps)
		t.Logf("%d trials; between the last sign of the old job and the first of the new one: smallest %v, median %v",
			trials, gaps[0], gaps[trials/2])
		if gaps[0] <= 0 {
			t.Errorf("two jobs at once: %v", gaps)
		}
	})
}

// overlapTrial returns the time between the old leader's job and the new one's.
func overlapTrial(t *testing.T, p *place, election string) time.Duration {
	t.Helper()
	path := filepath.Join(t.TempDir(), "work")
	// The shell is the command; the worker is its child, and so are two others that do the same.
	script := fmt.Sprintf(`trap "" TERM; for i in 1 2; do %s=%s %s & done; wait`, workerVar, path, os.Args[0])
	elect := func(url string) *run {
		return start(t, url, "elect", election, "--grace", "500ms", "-v", "--", "sh", "-c", script)
	}
	link := p.servers.NewLink(t)
	old := elect(p.over(link))
	eventually(t, "the first job is at work", func() bool { return len(stints(t, path)) == 1 })
	next := elect(p.direct())
	next.says("stands for")
	time.Sleep(time.Duration(len(election)%7) * 150 * time.Millisecond) // another phase of the renewal in each trial
	link.Blackhole(t)
	eventually(t, "the second job is at work", func() bool { return len(stints(t, path)) == 2 })
	time.Sleep(100 * time.Millisecond) // for an old job to be seen beside the new one
	terms := stints(t, path)
	old.says("is lost")
	next.stop(128 + 9)
	return terms[1].first.Sub(terms[0].last)
}
