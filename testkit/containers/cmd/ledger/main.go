// Command ledger measures what the SDK costs above the vendors' bare clients, on
// servers that it starts in containers, and writes a report:
//
//	ledger [-quick] [-only regexp] [-rounds n] [-out folder] [-o text|json]
//	ledger -render -out folder
//
// The report, a page with its plots and its data, goes to the folder that -out
// names; without -out only a table is printed, or with -o json the data. With
// -only it measures what matches, such as "list on etcd", and what a report in the
// folder says of everything else stays. With -quick each figure runs once, at
// small sizes: that shows that the ledger works, and nothing else. With -render it
// measures nothing and writes the folder's page anew, with the notes and the aims
// as they are now.
//
// Progress goes to standard error. The exit code is 1 if a figure could not be
// measured; a missed aim is reported, and no error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger"
	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

func main() {
	log.SetFlags(log.Ltime)
	log.SetPrefix("ledger: ")
	c := command{}
	flag.BoolVar(&c.quick, "quick", false, "run every figure once at small sizes, to show that it runs")
	flag.BoolVar(&c.render, "render", false, "measure nothing; write the page of the report in -out anew")
	flag.StringVar(&c.only, "only", "", "measure only what matches this `regexp`, such as \"list on etcd\"")
	flag.IntVar(&c.rounds, "rounds", 5, "how many `rounds` to measure")
	flag.StringVar(&c.out, "out", "", "`folder` to write the report to")
	flag.StringVar(&c.format, "o", "text", "`format` of what is printed: text or json")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := c.run(ctx)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// command is what the flags say.
type command struct {
	quick, render     bool
	only, out, format string
	rounds            int
}

func (c *command) run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	r, failed := c.report(ctx)
	if r == nil {
		return failed
	}
	if err := c.print(r); err != nil {
		return errors.Join(failed, err)
	}
	if c.out == "" {
		return failed
	}
	if err := r.WriteAll(c.out); err != nil {
		return errors.Join(failed, err)
	}
	log.Printf("the report is in %s", c.out)
	missing, err := r.Missing(c.out)
	for _, key := range missing {
		log.Printf("%s misses an aim, and there is no note that says why", key)
	}
	return errors.Join(failed, err)
}

// check refuses flags that make no sense.
func (c *command) check() error {
	switch {
	case c.rounds < 1:
		return fmt.Errorf("-rounds %d: at least one is needed", c.rounds)
	case c.format != "text" && c.format != "json":
		return fmt.Errorf("-o %s: there are text and json", c.format)
	case c.render && c.out == "":
		return errors.New("-render needs -out, the folder with the report")
	case flag.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	return nil
}

// report makes the report, or reads the one that is there. With an error it returns what there is, nil for nothing.
func (c *command) report(ctx context.Context) (*report.Report, error) {
	if c.render {
		r, err := report.Load(c.out)
		if err != nil {
			return nil, err
		}
		ledger.Refresh(r)
		return r, nil
	}
	config := ledger.Config{Rounds: c.rounds, Quick: c.quick, Log: log.Printf}
	if c.quick {
		config.Rounds = 1
	}
	if c.only != "" {
		only, err := regexp.Compile(c.only)
		if err != nil {
			return nil, fmt.Errorf("-only: %w", err)
		}
		config.Only = only
	}
	r, err := ledger.Run(ctx, config)
	if c.only == "" || c.out == "" {
		return r, err
	}
	before, loaded := report.Load(c.out)
	if errors.Is(loaded, os.ErrNotExist) {
		return r, err
	}
	if loaded == nil {
		r.Complete(before)
	}
	return r, errors.Join(err, loaded)
}

// print tells what was measured.
func (c *command) print(r *report.Report) error {
	if c.format == "json" {
		return r.WriteJSON(os.Stdout)
	}
	return r.WriteText(os.Stdout)
}
