package report

import (
	"math"
	"slices"
	"time"
)

// Report is the outcome of a run.
type Report struct {
	Started  time.Time         `json:"started"`
	Seconds  float64           `json:"seconds"`           // how long it took
	Amended  []string          `json:"amended,omitempty"` // when parts of it were measured again
	Commit   string            `json:"commit"`
	Quick    bool              `json:"quick"` // it shows that the ledger runs, and measures nothing
	Rounds   int               `json:"rounds"`
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"` // of servers and client libraries
	Figures  []Figure          `json:"figures"`
}

// Machine is where a run took place.
type Machine struct {
	CPU    string  `json:"cpu"`
	Cores  int     `json:"cores"`
	Memory string  `json:"memory"`
	System string  `json:"system"`
	Go     string  `json:"go"`
	Load   float64 `json:"load"` // of the machine just before the run: how many processes wanted a core
}

// Figure is something that was measured, on every backend and at every size.
type Figure struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Method  string   `json:"method"`            // what was measured, and against what
	SizesOf string   `json:"sizesOf,omitempty"` // what Result.N counts; empty: there is one size
	Results []Result `json:"results"`
}

// Result is one measure of a figure, on one backend at one size.
type Result struct {
	Backend string    `json:"backend"`
	N       int       `json:"n,omitempty"`
	Measure string    `json:"measure"`
	Unit    Unit      `json:"unit"`
	Bare    *Sample   `json:"bare,omitempty"` // nil: there is no other client to compare with
	SDK     *Sample   `json:"sdk"`
	Ratio   *Ratio    `json:"ratio,omitempty"`
	Aims    []Verdict `json:"aims,omitempty"`
}

// Unit is what a measure is counted in.
type Unit string

// The units of the ledger.
const (
	Milliseconds Unit = "ms"
	Microseconds Unit = "µs"
	Requests     Unit = "requests"
	Bytes        Unit = "bytes"
	Kilobytes    Unit = "kB"
	Count        Unit = "count"
	PerSecond    Unit = "a second"
	PerMinute    Unit = "a minute"
)

// timed says whether single samples make a distribution that is worth showing.
func (u Unit) timed() bool { return u == Milliseconds || u == Microseconds }

// Sample is one side of a result. Each round has a median; Median is that of the
// rounds' medians, Low and High are the least and the greatest of them.
type Sample struct {
	Median  float64   `json:"median"`
	Low     float64   `json:"low"`
	High    float64   `json:"high"`
	P99     float64   `json:"p99"`     // of all samples together
	Samples int       `json:"samples"` // how many there are
	Rounds  []float64 `json:"rounds"`
}

// Ratio compares the sides round by round, the SDK's median over the bare client's.
type Ratio struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	P99    float64 `json:"p99"` // of the 99th percentiles
}

// Verdict says whether a result has met an aim.
type Verdict struct {
	Aim   string  `json:"aim"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Least bool    `json:"least,omitempty"` // the value is to be no less, instead of no more
	Met   bool    `json:"met"`
}

// Summarize makes a sample of what the rounds have measured; nil if they have not.
func Summarize(rounds [][]float64) *Sample {
	var medians, all []float64
	for _, round := range rounds {
		if len(round) > 0 {
			medians = append(medians, Quantile(round, 0.5))
			all = append(all, round...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &Sample{
		Median: Quantile(medians, 0.5), Low: slices.Min(medians), High: slices.Max(medians),
		P99: Quantile(all, 0.99), Samples: len(all), Rounds: medians,
	}
}

// Compare returns the ratio of two samples of the same rounds; nil if one is
// missing, or the bare client's is zero at times.
func Compare(bare, sdk *Sample) *Ratio {
	if bare == nil || sdk == nil || len(bare.Rounds) != len(sdk.Rounds) || bare.Low == 0 || bare.P99 == 0 {
		return nil
	}
	ratios := make([]float64, len(sdk.Rounds))
	for i := range ratios {
		ratios[i] = sdk.Rounds[i] / bare.Rounds[i]
	}
	return &Ratio{
		Median: Quantile(ratios, 0.5), Low: slices.Min(ratios), High: slices.Max(ratios), P99: sdk.P99 / bare.P99,
	}
}

// Quantile returns the least value that at least q of all are not above. Between
// the two middle ones of an even number the median is their mean.
func Quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if q == 0.5 && n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[max(0, int(math.Ceil(q*float64(n)))-1)]
}

// find returns the result of a figure that is like r but for its size; nil if there is none.
func (f *Figure) find(like *Result, n int) *Result {
	for i := range f.Results {
		r := &f.Results[i]
		if r.Backend == like.Backend && r.Measure == like.Measure && r.N == n {
			return r
		}
	}
	return nil
}

// key names a result, in notes.
func (f *Figure) key(r *Result) string { return f.Name + " on " + r.Backend }
