package report

import "cmp"

// An aim is what results are held against.
type aim struct {
	text    string
	figure  string
	measure string
	backend string // empty: all of them
	n       int    // 0: every size
	// value returns what is compared, and whether there is such a thing.
	value func(report *Report, f *Figure, r *Result) (float64, bool)
	most  float64
	least float64 // instead of most
}

// aims are what the project wants to reach. Where nothing else was set, the SDK is to stay within 5 % of the bare
// client.
var aims = []aim{
	{figure: "register", value: ratio, most: 1.15},
	{
		figure: "register", measure: "alone", backend: "etcd", value: ofFirst, most: 0.6,
		text: "of a bare first registration, whose lease it shares",
	},
	{figure: "first-registration", value: ratio, most: 1.15},
	{figure: "list", backend: "etcd", value: ratio, most: 1.3},
	{figure: "list", backend: "zookeeper", n: 1_000, value: ratio, most: 0.55, text: "of reading one by one"},
	{figure: "list", backend: "consul", value: ratio, most: 1.05},
	{figure: "live-list", measure: "time", n: 1_000, value: median, most: 20},
	{figure: "live-list", measure: "requests", value: median, most: 0},
	{figure: "change", backend: "etcd", value: ratio, most: 1.25},
	{figure: "change", backend: "zookeeper", value: ratio, most: 1.25},
	{figure: "change", backend: "consul", value: ratio, most: 1.05},
	{figure: "change", backend: "etcd", n: 1_000, value: growthFrom(10), most: 1.3, text: "of that at 10"},
	{figure: "change", backend: "zookeeper", n: 1_000, value: growthFrom(10), most: 1.3, text: "of that at 10"},
	{figure: "wire", measure: "watcher's requests", backend: "etcd", value: median, most: 0},
	{figure: "wire", measure: "watcher's requests", backend: "zookeeper", value: median, most: 2},
	{figure: "wire", measure: "watcher's requests", backend: "consul", value: median, most: 1},
	{figure: "wire", measure: "watcher's traffic", value: ratio, most: 1.05},
	{
		figure: "wire", measure: "watcher's traffic", backend: "etcd", n: 10_000, value: growthFrom(10), most: 1.3,
		text: "of that at 10",
	},
	{
		figure: "watchers", measure: "time", n: 100, value: p99Growth(1), most: 2,
		text: "of that of one watcher, at the 99th percentile",
	},
	{figure: "watchers", measure: "requests", value: ratio, most: 1},
	{figure: "burst", measure: "states", value: median, most: 50},
	{figure: "burst", measure: "until complete", value: p99, most: 100},
	{figure: "hand-over", value: ratio, most: 1.05},
	{figure: "hand-over", value: p99, most: 100},
	{figure: "fail-over", backend: "etcd", value: p99, most: 3_600},
	{figure: "fail-over", backend: "zookeeper", value: p99, most: 3_700},
	{figure: "fail-over", backend: "consul", value: p99, most: 4_500},
	{figure: "storm", value: p99, most: 2_000},
	{figure: "idle", measure: "connections", backend: "etcd", value: median, most: 1},
	{figure: "idle", measure: "connections", backend: "zookeeper", value: median, most: 1},
	{figure: "allocations", value: ratio, most: 1.05},
	{figure: "throughput", value: median, least: 1e6},
}

// Judge holds every result against its aims.
func (r *Report) Judge() {
	for i := range r.Figures {
		f := &r.Figures[i]
		for j := range f.Results {
			result := &f.Results[j]
			result.Aims = nil
			for _, a := range aims {
				if v, applies := a.judge(r, f, result); applies {
					result.Aims = append(result.Aims, v)
				}
			}
		}
	}
}

// judge holds a result against an aim. It reports whether the aim is about it.
func (a *aim) judge(report *Report, f *Figure, r *Result) (Verdict, bool) {
	if a.figure != f.Name || a.measure != "" && a.measure != r.Measure ||
		a.backend != "" && a.backend != r.Backend || a.n != 0 && a.n != r.N {
		return Verdict{}, false
	}
	value, there := a.value(report, f, r)
	if !there {
		return Verdict{}, false
	}
	v := Verdict{Aim: a.text, Value: value, Limit: cmp.Or(a.least, a.most), Least: a.least > 0}
	v.Met = value <= v.Limit
	if v.Least {
		v.Met = value >= v.Limit
	}
	return v, true
}

func ratio(_ *Report, _ *Figure, r *Result) (float64, bool) {
	if r.Ratio == nil {
		return 0, false
	}
	return r.Ratio.Median, true
}

func median(_ *Report, _ *Figure, r *Result) (float64, bool) { return r.SDK.Median, true }

func p99(_ *Report, _ *Figure, r *Result) (float64, bool) { return r.SDK.P99, true }

// growthFrom compares a result with the same one at another size.
func growthFrom(n int) func(*Report, *Figure, *Result) (float64, bool) {
	return func(_ *Report, f *Figure, r *Result) (float64, bool) {
		base := f.find(r, n)
		if base == nil || base.SDK.Median == 0 {
			return 0, false
		}
		return r.SDK.Median / base.SDK.Median, true
	}
}

// p99Growth is growthFrom for the slowest hundredth.
func p99Growth(n int) func(*Report, *Figure, *Result) (float64, bool) {
	return func(_ *Report, f *Figure, r *Result) (float64, bool) {
		base := f.find(r, n)
		if base == nil || base.SDK.P99 == 0 {
			return 0, false
		}
		return r.SDK.P99 / base.SDK.P99, true
	}
}

// ofFirst compares a registration with a bare first one.
func ofFirst(report *Report, _ *Figure, r *Result) (float64, bool) {
	for i := range report.Figures {
		f := &report.Figures[i]
		if f.Name != "first-registration" {
			continue
		}
		first := f.find(&Result{Backend: r.Backend, Measure: "time"}, 0)
		if first != nil && first.Bare != nil {
			return r.SDK.Median / first.Bare.Median, true
		}
	}
	return 0, false
}
