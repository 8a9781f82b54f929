package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

// Config says what to run.
type Config struct {
	Rounds int            // of each figure
	Quick  bool           // at small sizes and for moments only: the numbers mean nothing
	Only   *regexp.Regexp // of the figures and backends, as "figure on backend"; nil: everything
	// Log is told what goes on.
	Log func(format string, args ...any)

	plan *plan
}

// Run measures and returns what it has, also where it fails: then the error says what is missing.
func Run(ctx context.Context, c Config) (*report.Report, error) {
	r := describe()
	r.Quick, r.Rounds = c.Quick, c.Rounds
	figures := Figures()
	c.plan = newPlan(c, figures)
	for _, f := range figures {
		r.Figures = append(r.Figures, report.Figure{Name: f.Name, Title: f.Title, Method: f.Method, SizesOf: f.SizesOf})
	}
	var errs []error
	for _, b := range Backends() {
		if ctx.Err() != nil {
			break
		}
		if err := c.runBackend(ctx, b, figures, r); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.Name, err))
		}
	}
	r.Seconds = time.Since(r.Started).Round(time.Second).Seconds()
	r.Judge()
	return r, errors.Join(append(errs, ctx.Err())...)
}

// Refresh gives a report that was read the words that figures are described with now.
func Refresh(r *report.Report) {
	for _, f := range Figures() {
		for i := range r.Figures {
			if r.Figures[i].Name == f.Name {
				r.Figures[i].Title, r.Figures[i].Method = f.Title, f.Method
			}
		}
	}
	r.Judge()
}

// wanted says whether a figure is to be measured on a backend.
func (c Config) wanted(f *Figure, b Backend) bool {
	return (f.On == nil || f.On(b)) && (c.Only == nil || c.Only.MatchString(f.Name+" on "+b.Name))
}

// runBackend measures all figures on one backend.
func (c Config) runBackend(ctx context.Context, b Backend, figures []Figure, r *report.Report) (err error) {
	if !slices.ContainsFunc(figures, func(f Figure) bool { return c.wanted(&f, b) }) {
		return nil
	}
	s, err := erect(ctx, b, c.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	maps.Copy(r.Versions, s.server.Versions())
	var errs []error
	for i := range figures {
		f := &figures[i]
		if !c.wanted(f, b) || ctx.Err() != nil {
			continue
		}
		for _, n := range c.sizes(f) {
			results, err := c.measure(ctx, s, f, n)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", title(f, n), err))
				c.Log("%s: %s: FAILED: %v", b.Name, title(f, n), err)
			}
			r.Figures[i].Results = append(r.Figures[i].Results, results...)
		}
	}
	return errors.Join(errs...)
}

// rounds is how many rounds a figure has.
func (c Config) rounds(f *Figure) int {
	if f.Rounds > 0 {
		return min(c.Rounds, f.Rounds)
	}
	return c.Rounds
}

// title names a figure at a size.
func title(f *Figure, n int) string {
	if len(f.Sizes) == 0 {
		return f.Name
	}
	return fmt.Sprintf("%s, %d %s", f.Name, n, f.SizesOf)
}

// sizes are the sizes that a figure is measured at; 0 for one that has none.
func (c Config) sizes(f *Figure) []int {
	if len(f.Sizes) == 0 {
		return []int{0}
	}
	if c.Quick {
		const small = 20
		return []int{min(f.Sizes[0], small), small}
	}
	return f.Sizes
}

// measure runs the rounds of a figure at one size.
func (c Config) measure(ctx context.Context, s *stand, f *Figure, n int) ([]report.Result, error) {
	start, rounds := time.Now(), c.rounds(f)
	sides := [2]bool{false, true} // is it the SDK's turn?
	taken := map[bool]map[string][][]float64{false: {}, true: {}}
	for round := range rounds {
		for i := range sides {
			ofSDK := sides[(i+round)%2]
			if !ofSDK && (f.Alone || s.backend.Bare == nil) {
				continue
			}
			values, err := c.phase(ctx, s, f, n, ofSDK)
			if err != nil {
				return nil, fmt.Errorf("round %d, %s: %w", round+1, map[bool]string{false: "bare", true: "SDK"}[ofSDK], err)
			}
			for _, m := range f.Measures {
				taken[ofSDK][m.Name] = append(taken[ofSDK][m.Name], values[m.Name])
			}
		}
	}
	var results []report.Result
	for _, m := range f.Measures {
		bare, sdk := report.Summarize(taken[false][m.Name]), report.Summarize(taken[true][m.Name])
		if sdk == nil {
			continue // the backend has nothing of this kind
		}
		results = append(results, report.Result{
			Backend: s.backend.Name, N: n, Measure: m.Name, Unit: m.Unit,
			Bare: bare, SDK: sdk, Ratio: report.Compare(bare, sdk),
		})
	}
	c.Log("%s: %s: %s (%.1fs)%s",
		s.backend.Name, title(f, n), brief(results), time.Since(start).Seconds(), c.plan.done(c, f))
	return results, nil
}

// phaseLimit is how long a phase may take at the most.
const phaseLimit = 3 * time.Minute

// phase runs one phase and returns the values that it has recorded.
func (c Config) phase(
	ctx context.Context, s *stand, f *Figure, n int, ofSDK bool,
) (values map[string][]float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, phaseLimit)
	defer cancel()
	values = map[string][]float64{}
	p := &Phase{N: n, Quick: c.Quick, stand: s, sdk: ofSDK, record: func(measure string, value float64) {
		values[measure] = append(values[measure], value)
	}}
	defer func() {
		err = errors.Join(err, p.end())
		runtime.GC() // what this phase has left is not for the next one to clear away
	}()
	return values, f.Phase(ctx, p)
}

// brief is what the log says of results.
func brief(results []report.Result) string {
	parts := make([]string, 0, len(results))
	for _, r := range results {
		text := fmt.Sprintf("%s %.4g %s", r.Measure, r.SDK.Median, r.Unit)
		if r.Ratio != nil {
			text += fmt.Sprintf(" = %.2fx", r.Ratio.Median)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}
