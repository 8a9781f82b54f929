package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/job"
	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

// urlVar names the backend where no flag does.
const urlVar = "RECEPTION_URL"

// An app is one run of the command.
type app struct {
	in       *os.File
	out, err *terminal.Output
	getenv   func(string) string
	signals  *signals // nil in tests that send none

	url     string
	format  format
	timeout time.Duration
	verbose bool
}

// Main runs the command on the files of the process and returns its exit status.
func Main(args []string) int {
	ctx, signals := watchSignals(context.Background())
	defer signals.stop()
	a := newApp(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	a.signals = signals
	return a.run(ctx, args)
}

func newApp(in *os.File, out, err io.Writer, getenv func(string) string) *app {
	return &app{
		in: in, out: terminal.NewOutput(out, getenv), err: terminal.NewOutput(err, getenv), getenv: getenv, format: formatTable,
	}
}

// run runs the command line and returns the exit status.
func (a *app) run(ctx context.Context, args []string) int {
	root, parsed := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && !*parsed {
		err = &usageError{err}
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = context.Cause(ctx)
	}
	a.explain(err)
	return statusOf(err)
}

// explain says what went wrong, unless nobody wants to know.
func (a *app) explain(err error) {
	if err == nil || quiet(err) {
		return
	}
	text := strings.TrimPrefix(err.Error(), "reception: ")
	if _, usage := errors.AsType[*usageError](err); usage {
		text += "\nRun 'reception --help' for what there is."
	}
	_, _ = fmt.Fprintf(a.err, "%s %s\n", a.err.Paint(terminal.Red, "reception:"), text) // there is nobody else to tell
}

// tell says what happens, to people who look at it or have asked for it.
func (a *app) tell(format string, args ...any) {
	if a.verbose || a.err.IsTerminal() {
		_, _ = fmt.Fprintf(a.err, "%s %s\n", a.err.Paint(terminal.Dim, "reception:"), fmt.Sprintf(format, args...)) // as above
	}
}

// warn says what people should know in any case.
func (a *app) warn(format string, args ...any) {
	text := strings.TrimPrefix(fmt.Sprintf(format, args...), "reception: ")                // the SDK's errors have it, too
	_, _ = fmt.Fprintf(a.err, "%s %s\n", a.err.Paint(terminal.Yellow, "reception:"), text) // as above
}

// address returns the URL of the backend.
func (a *app) address() (string, error) {
	if a.url != "" {
		return a.url, nil
	}
	if url := a.getenv(urlVar); url != "" {
		return url, nil
	}
	return "", &usageError{fmt.Errorf("no backend: give --url, or set %s, as in --url etcd://127.0.0.1:2379; the schemes are %s",
		urlVar, strings.Join(reception.Schemes(), ", "))}
}

// with runs f with a client, which it closes.
func (a *app) with(ctx context.Context, f func(client reception.Client) error) (err error) {
	url, err := a.address()
	if err != nil {
		return err
	}
	var client reception.Client
	err = a.ask(ctx, "connecting to "+redacted(url), func(ctx context.Context) (err error) {
		client, err = reception.Open(ctx, url)
		return err
	})
	if err != nil {
		return openError(err)
	}
	defer func() {
		defer terminal.Progress(a.err, "closing")()
		if failed := client.Close(); failed != nil && err == nil {
			err = failed
		} else if failed != nil {
			a.warn("%v", failed)
		}
	}()
	return f(client)
}

// redacted returns what may be shown of a URL: no password, and no parameters.
func redacted(url string) string {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		return "the backend"
	}
	rest, _, _ = strings.Cut(rest, "?")
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = rest[at+1:]
	}
	return scheme + "://" + rest
}

// ask gives a question to the backend as long as --timeout, and says what it waits for.
func (a *app) ask(ctx context.Context, what string, question func(context.Context) error) error {
	defer terminal.Progress(a.err, what)()
	limited, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	err := question(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil:
		return fmt.Errorf("%s: %w: no answer within %v: %w", what, reception.ErrUnavailable, a.timeout, err)
	}
	return err
}

// readOnce runs one question over a client of its own.
func (a *app) readOnce(cmd *cobra.Command, what string, question func(context.Context, reception.Client) error) error {
	return a.with(cmd.Context(), func(client reception.Client) error {
		return a.ask(cmd.Context(), what, func(ctx context.Context) error { return question(ctx, client) })
	})
}

// spec is what to run as a job of ours.
func (a *app) spec(command []string, grace time.Duration, env ...string) job.Spec {
	s := job.Spec{Command: command, Env: env, Stdout: os.Stdout, Stderr: os.Stderr, Grace: grace, Signals: a.signals.passOn()}
	if a.in != nil && !terminal.NewOutput(a.in, a.getenv).IsTerminal() {
		s.Stdin = a.in
	}
	return s
}
