// Command chaoscheck checks histories again that runs of package chaos have saved:
//
//	go run ./testkit/chaos/chaoscheck FILE...
//
// It prints what was played and what is found, and exits with 1 if anything is.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/go-reception/sdk/testkit/chaos"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: chaoscheck FILE...")
		os.Exit(2)
	}
	clean := true
	for _, path := range os.Args[1:] {
		h, err := chaos.Load(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, "chaoscheck:", err)
			os.Exit(2)
		}
		clean = tell(os.Stdout, path, h) && clean
	}
	if !clean {
		os.Exit(1)
	}
}

// tell prints what there is to say of a history, and says whether it is clean.
func tell(w io.Writer, path string, h *chaos.History) bool {
	report := h.Check()
	var sum chaos.Summary
	sum.Add(h.Header.Plan.Seed, report)
	_, _ = fmt.Fprintf(w, "%s: %s, seed %d, %d events\n%s\n%v\n", path, h.Header.Backend, h.Header.Plan.Seed, len(h.Events),
		chaos.Describe(h.Header.Schedule), &sum)
	for _, finding := range report.Findings {
		_, _ = fmt.Fprintln(w, finding)
	}
	return len(report.Findings) == 0
}
