package chaostest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-reception/sdk/testkit/chaos"
)

// write writes the report of a backend's schedules.
func (r *results) write(t *testing.T, g ground, sum *chaos.Summary) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: random schedules on live servers\n\n", g.name)
	fmt.Fprintf(&b, "Written by `go tool task soak`, on %s, with %s on %d CPUs. Three servers for each of %d lanes, TTL %v.\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), *lanes, g.timing.TTL)
	fmt.Fprintf(&b, "%v\n\nWhat struck: %s. A run that has wipes has two, and no other faults of servers.\n\n", sum, sum.Struck())
	fmt.Fprintln(&b, "| seed | faults | terms | operations on the lead | additions | refused | reads | excused | fail-over p50 | "+
		"smallest gap | findings |")
	fmt.Fprintln(&b, "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|")
	slices.SortFunc(r.all, func(a, b result) int { return cmp.Compare(a.seed, b.seed) })
	for _, one := range r.all {
		p := one.report
		findings := "none"
		if len(p.Findings) > 0 {
			findings = fmt.Sprint(p.Findings)
		}
		fmt.Fprintf(&b, "| %d | %d | %d | %d | %d | %d | %d | %d | %v | %v | %s |\n", one.seed, p.Faults, p.Terms, p.Steps, p.Adds,
			p.Refused, p.Reads, p.Excused, chaos.Percentile(p.Failovers, 50), p.Gap.Round(time.Millisecond), findings)
	}
	save(t, g.name+".md", b.String())
}

// writeFailovers writes the report of a backend's fail-overs.
func writeFailovers(t *testing.T, g ground, measured []*measurement) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: fail-over times\n\n", g.name)
	fmt.Fprintf(&b, "Written by TestFailover, on %s, with %s on %d CPUs, ten elections side by side on three servers, "+
		"TTL %v.\nFrom the fault, or the call of Resign, until Campaign returns to the next leader. The gap is from the latest "+
		"moment at which the old term can have ended\nto the earliest at which the next one can have begun.\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), g.timing.TTL)
	fmt.Fprintln(&b, "| after | trials | p50 | p99 | longest | smallest gap between terms |")
	fmt.Fprintln(&b, "|---|---:|---:|---:|---:|---:|")
	for _, m := range measured {
		fmt.Fprintf(&b, "| %s | %d | %v | %v | %v | %v |\n", m.name, len(m.took), chaos.Percentile(m.took, 50),
			chaos.Percentile(m.took, 99), chaos.Percentile(m.took, 100), m.least.Round(10*time.Microsecond))
	}
	save(t, g.name+"-failover.md", b.String())
}

func save(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(*report, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*report, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
