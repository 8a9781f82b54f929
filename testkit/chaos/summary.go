package chaos

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Summary adds up reports.
type Summary struct {
	Runs, Findings                                      int
	Faults, Terms, Reads, Adds, Refused, Steps, Excused int
	// Gap is the shortest of the gaps between terms, and GapSeed where it was.
	Gap       time.Duration
	GapSeed   uint64
	Failovers []time.Duration
	Strikes   map[string]int
	// Least and Most are the fewest and the most operations on the lead in a run.
	Least, Most int
}

// Add adds the report of one run.
func (s *Summary) Add(seed uint64, r *Report) {
	if s.Least = min(s.Least, r.Steps); s.Runs == 0 {
		s.Least, s.Strikes = r.Steps, make(map[string]int)
	}
	s.Most = max(s.Most, r.Steps)
	for name, n := range r.Strikes {
		s.Strikes[name] += n
	}
	s.Runs++
	s.Findings += len(r.Findings)
	s.Faults += r.Faults
	s.Terms += r.Terms
	s.Reads += r.Reads
	s.Adds += r.Adds
	s.Refused += r.Refused
	s.Steps += r.Steps
	s.Excused += r.Excused
	if r.Gap != 0 && (s.Gap == 0 || r.Gap < s.Gap) {
		s.Gap, s.GapSeed = r.Gap, seed
	}
	s.Failovers = append(s.Failovers, r.Failovers...)
}

// String says it in a line.
func (s *Summary) String() string {
	return fmt.Sprintf("%d runs, %d findings; %d faults, %d terms, %d operations on the lead (%d to %d a run), %d additions and %d refused, "+
		"%d reads, %d windows excused; fail-over p50 %v, p99 %v; smallest gap %v (seed %d)",
		s.Runs, s.Findings, s.Faults, s.Terms, s.Steps, s.Least, s.Most, s.Adds, s.Refused, s.Reads, s.Excused,
		Percentile(s.Failovers, 50), Percentile(s.Failovers, 99), s.Gap.Round(time.Millisecond), s.GapSeed)
}

// Struck says how often which faults have struck, the most frequent first.
func (s *Summary) Struck() string {
	names := slices.Sorted(maps.Keys(s.Strikes))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(s.Strikes[b], s.Strikes[a]) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%d × %s", s.Strikes[name], name)
	}
	return strings.Join(names, ", ")
}

// Percentile returns the smallest of the durations that p percent do not exceed; 0 of none.
func Percentile(of []time.Duration, p int) time.Duration {
	if len(of) == 0 {
		return 0
	}
	of = slices.Sorted(slices.Values(of))
	return of[max(0, (len(of)*p+99)/100-1)].Round(time.Millisecond)
}
