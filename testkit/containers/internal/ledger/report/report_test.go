package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		values []float64
		q      float64
		want   float64
	}{
		{[]float64{7}, 0.5, 7},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{4, 1, 3, 2}, 0.5, 2.5},
		{[]float64{7}, 0.99, 7},
		{[]float64{2, 1}, 0.99, 2},
		{append(slices.Repeat([]float64{1}, 99), 5), 0.99, 1},
		{append(slices.Repeat([]float64{1}, 98), 5, 6), 0.99, 5},
	} {
		if got := Quantile(c.values, c.q); got != c.want {
			t.Errorf("Quantile(%v, %v) = %v, want %v", c.values, c.q, got, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	bare := Summarize([][]float64{{1, 1, 9}, {2}, {4}})
	sdk := Summarize([][]float64{{3}, {3}, {4}})
	if bare.Median != 2 || bare.Low != 1 || bare.High != 4 || bare.P99 != 9 || bare.Samples != 5 {
		t.Errorf("Summarize: %+v", bare)
	}
	if r := Compare(bare, sdk); r == nil || r.Median != 1.5 || r.Low != 1 || r.High != 3 {
		t.Errorf("Compare: %+v", r)
	}
	if Summarize([][]float64{nil, nil}) != nil {
		t.Error("a sample of nothing")
	}
	for name, pair := range map[string][2]*Sample{
		"no bare client": {nil, sdk},
		"zero":           {Summarize([][]float64{{0}, {1}, {1}}), sdk},
		"other rounds":   {Summarize([][]float64{{1}}), sdk},
	} {
		if r := Compare(pair[0], pair[1]); r != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// sample is one of rounds with a value each.
func sample(values ...float64) *Sample {
	rounds := make([][]float64, 0, len(values))
	for _, value := range values {
		rounds = append(rounds, []float64{value})
	}
	return Summarize(rounds)
}

// example is a report with a result that misses its aim and others that do not.
func example() *Report {
	result := func(backend string, n int, measure string, unit Unit, bare, sdk *Sample) Result {
		return Result{Backend: backend, N: n, Measure: measure, Unit: unit, Bare: bare, SDK: sdk, Ratio: Compare(bare, sdk)}
	}
	r := &Report{Rounds: 2, Versions: map[string]string{"etcd server": "3.7"}, Figures: []Figure{
		{Name: "register", Title: "Register", Results: []Result{
			result("fake", 0, "alone", Milliseconds, nil, sample(1, 2)),
			result("etcd", 0, "alone", Milliseconds, sample(10, 10), sample(11, 13)),
		}},
		{Name: "first-registration", Title: "First", Results: []Result{
			result("etcd", 0, "time", Milliseconds, sample(40, 40), sample(40, 40)),
		}},
		{Name: "change", Title: "Change", SizesOf: "instances", Results: []Result{
			result("etcd", 10, "time", Milliseconds, sample(1, 1), sample(1, 1)),
			result("etcd", 1_000, "time", Milliseconds, sample(1, 1), sample(1.2, 1.2)),
		}},
		{Name: "live-list", Title: "Live", SizesOf: "instances", Results: []Result{
			result("etcd", 1_000, "requests", Requests, nil, sample(0, 0)),
		}},
		{Name: "throughput", Title: "Throughput", Results: []Result{
			result("fake", 0, "lists", PerSecond, nil, sample(2e6, 2e6)),
		}},
	}}
	r.Judge()
	return r
}

func TestAims(t *testing.T) {
	r := example()
	type verdicts []bool
	for _, c := range []struct {
		figure, result int
		want           verdicts
	}{
		{0, 0, nil},
		{0, 1, verdicts{false, true}}, // 1.2 is more than 1.15; 12 is no more than 0.6 of 40
		{2, 0, verdicts{true}},
		{2, 1, verdicts{true, true}}, // 1.2 of the bare client, and 1.2 of that at 10
		{3, 0, verdicts{true}},
		{4, 0, verdicts{true}},
	} {
		var got verdicts
		for _, v := range r.Figures[c.figure].Results[c.result].Aims {
			got = append(got, v.Met)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s, %d: aims %+v, want met %v",
				r.Figures[c.figure].Name, c.result, r.Figures[c.figure].Results[c.result].Aims, c.want)
		}
	}
	if got := r.Unexplained(nil); !slices.Equal(got, []string{"register on etcd"}) {
		t.Errorf("Unexplained: %q", got)
	}
	if got := r.Unexplained(Notes{"register on etcd": "because"}); len(got) > 0 {
		t.Errorf("Unexplained with a note: %q", got)
	}
}

func TestMarkdown(t *testing.T) {
	var page strings.Builder
	if err := example().WriteMarkdown(&page, Notes{"register on etcd": "It is so because."}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| Register | **1.20** |",
		"| etcd | alone | **1.20** (1.10–1.30) | 10 (10–10) ms, p99 10 | 12 (11–13) ms, p99 13 |" +
			" **missed: 1.2 not ≤ 1.15**; 0.3 ≤ 0.6 ",
		"| fake | alone |  |  | 1.5 (1–2) ms, p99 2 |  |",
		"| etcd | 1,000 | time | 1.20 (1.20–1.20) |",
		"**etcd.** It is so because.",
		"2M ≥ 1M",
		"![Change](change.svg)",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, page.String())
		}
	}
	if err := example().WriteMarkdown(brokenWriter{}, nil); !errors.Is(err, errBroken) {
		t.Errorf("written to nowhere: %v", err)
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestPlot(t *testing.T) {
	r := example()
	for i := range r.Figures {
		var svg bytes.Buffer
		if err := r.Figures[i].Plot(&svg); err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(svg.Bytes())); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", r.Figures[i].Name, err)
			}
		}
		for _, s := range []string{r.Figures[i].Results[0].Backend + ", SDK", "sans-serif"} {
			if !bytes.Contains(svg.Bytes(), []byte(s)) {
				t.Errorf("the plot of %s has no %q", r.Figures[i].Name, s)
			}
		}
	}
}

func TestNotes(t *testing.T) {
	notes, err := ReadNotes("For readers.\n\n## list on etcd\n\nOne.\n\n* two\n\n## list on consul\n\nThree.\n")
	if err != nil || len(notes) != 2 || notes["list on etcd"] != "One.\n\n* two" || notes["list on consul"] != "Three." {
		t.Errorf("ReadNotes returned %q, %v", notes, err)
	}
	for _, text := range []string{"## list\n", "## list on etcd\n## list on etcd\n"} {
		if notes, err := ReadNotes(text); err == nil {
			t.Errorf("ReadNotes(%q) returned %q", text, notes)
		}
	}
}

func TestJSON(t *testing.T) {
	r := example()
	var first, second bytes.Buffer
	if err := r.WriteJSON(&first); err != nil {
		t.Fatal(err)
	}
	read, err := ReadJSON(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := read.WriteJSON(&second); err != nil || first.String() != second.String() {
		t.Errorf("%v; written\n%s\nread and written\n%s", err, first.String(), second.String())
	}
}

// TestComplete measures one figure again on one backend: the others stay.
func TestComplete(t *testing.T) {
	older := example()
	again := Result{Backend: "etcd", Measure: "alone", Unit: Milliseconds, Bare: sample(10), SDK: sample(10)}
	again.Ratio = Compare(again.Bare, again.SDK)
	newer := &Report{Figures: []Figure{
		{Name: "register", Title: "Register", Results: []Result{again}},
		{Name: "change", Title: "Change", SizesOf: "instances"},
	}}
	newer.Complete(older)
	register := newer.Figures[0].Results
	if len(register) != 2 || register[0].Backend != "fake" || register[1].SDK.Median != 10 || register[1].missed() {
		t.Errorf("register: %+v", register)
	}
	if change := newer.Figures[1].Results; len(change) != 2 {
		t.Errorf("change: %+v", change)
	}
	if len(newer.Amended) != 1 || newer.Versions["etcd server"] != "3.7" {
		t.Errorf("amended %q, versions %q", newer.Amended, newer.Versions)
	}
}

func TestWriteAll(t *testing.T) {
	folder := t.TempDir()
	if err := example().WriteAll(folder); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(folder)
	if err != nil || len(loaded.Figures) != len(example().Figures) {
		t.Errorf("Load returned %+v, %v", loaded, err)
	}
	if missing, err := loaded.Missing(folder); err != nil || len(missing) != 1 {
		t.Errorf("Missing returned %q, %v", missing, err)
	}
}
