// Receptiongen writes everything that derives from spec/reception.yaml: the driver SPI, the public types and
// interfaces, the operations of the fake, the mocks, the reference page and the JSON schema.
//
//	receptiongen [-check] [-spec file] [-C folder] [-v]
//
// It finds the module's root upward from the current folder, which is why it works from a go:generate line in any of
// them. It replaces only what differs, removes what an earlier run has generated and this one does not, and lists both
// on standard output. With -check it writes nothing, and shows on standard error what it would do.
//
// # Exit status
//
// 0 when all is well, or was brought up to date; 1 when the spec has mistakes, in which case nothing is written, or
// when -check has found a difference; 2 for a command line that makes no sense.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"github.com/go-reception/sdk/gen"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const (
	exitOK = iota
	exitFailure
	exitUsage
)

// options are what the command line asks for.
type options struct {
	check, verbose bool
	spec, folder   string
	stdout         *log.Logger
}

func run(arguments []string, stdout, stderr io.Writer) int {
	o := options{stdout: log.New(stdout, "", 0)}
	flags := flag.NewFlagSet("receptiongen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.check, "check", false, "write nothing; fail with a diff if anything is out of date")
	flags.StringVar(&o.spec, "spec", "", "the spec's `file` (default spec/reception.yaml below the module's root)")
	flags.StringVar(&o.folder, "C", ".", "the `folder` to start from")
	flags.BoolVar(&o.verbose, "v", false, "say so when there is nothing to do")
	problems := log.New(stderr, "", 0)
	switch err := flags.Parse(arguments); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		problems.Printf("receptiongen: unexpected argument %q", flags.Arg(0))
		flags.Usage()
		return exitUsage
	}
	if err := o.generate(); err != nil {
		problems.Print(err)
		return exitFailure
	}
	return exitOK
}

func (o options) generate() error {
	root, err := moduleRoot(o.folder)
	if err != nil {
		return err
	}
	if o.spec == "" {
		o.spec = filepath.Join(root, "spec", "reception.yaml")
	} else if !filepath.IsAbs(o.spec) {
		o.spec = filepath.Join(o.folder, o.spec)
	}
	source, err := os.ReadFile(o.spec)
	if err != nil {
		return err
	}
	spec, err := gen.Load(displayed(o.spec), source)
	if err != nil {
		return err
	}
	files, err := gen.Render(spec)
	if err != nil {
		return err
	}
	if o.check {
		return o.compare(root, files)
	}
	return o.write(root, files)
}

func (o options) write(root string, files map[string][]byte) error {
	changed, err := gen.Write(root, files)
	for _, path := range changed {
		o.stdout.Print(path)
	}
	if err == nil && len(changed) == 0 {
		o.nothingToDo()
	}
	return err
}

func (o options) compare(root string, files map[string][]byte) error {
	diff, err := gen.Check(root, files)
	if err != nil {
		return err
	}
	if diff != "" {
		return fmt.Errorf("%sreceptiongen: out of date; go generate ./... helps", diff)
	}
	o.nothingToDo()
	return nil
}

func (o options) nothingToDo() {
	if o.verbose {
		o.stdout.Print("receptiongen: everything is up to date")
	}
}

// moduleRoot is the folder with the go.mod that folder belongs to.
func moduleRoot(folder string) (string, error) {
	start, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(start); err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		switch _, err := os.Stat(filepath.Join(dir, "go.mod")); {
		case err == nil:
			return dir, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		case dir == filepath.Dir(dir):
			return "", fmt.Errorf("receptiongen: no go.mod in %s or above", start)
		}
	}
}

// displayed is the path as it is best shown: from the current folder, where that is shorter.
func displayed(path string) string {
	current, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(current, path)
	if err != nil || len(relative) > len(path) {
		return path
	}
	return relative
}
