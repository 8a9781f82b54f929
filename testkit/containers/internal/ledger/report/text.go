package report

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteText writes the report for a terminal.
func (r *Report) WriteText(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FIGURE\tBACKEND\tN\tMEASURE\tBARE\tSDK\tUNIT\tRATIO\tAIMS")
	for i := range r.Figures {
		f := &r.Figures[i]
		for j := range f.Results {
			result := &f.Results[j]
			n, bare, ratio := "", "", ""
			if f.SizesOf != "" {
				n = fmt.Sprint(result.N)
			}
			if result.Bare != nil {
				bare = digits(result.Bare.Median)
			}
			if result.Ratio != nil {
				ratio = fmt.Sprintf("%.2f", result.Ratio.Median)
			}
			aims := ""
			if len(result.Aims) > 0 {
				aims = "met"
			}
			if result.missed() {
				aims = "MISSED"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Name, result.Backend, n, result.Measure,
				bare, digits(result.SDK.Median), result.Unit, ratio, aims)
		}
	}
	return table.Flush()
}
