package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/doctor"
	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

// doctorCommand finds out what is wrong.
func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong with a backend, and what would be a fix",
		Long: `Doctor examines the backend: whether it is reached, what its servers are, how fast it answers, whether their clocks
show the time that this one does, and whether one may do what Reception does. For the last it registers an instance of
the service ` + doctor.ProbeName + ` for a moment, watches it, and leads the election of that name.

It exits with status 0 when nothing has failed, 4 when the backend cannot be reached, and 1 otherwise.`,
		Example: "  reception doctor\n  reception doctor -o json | jq -r 'select(.state != \"ok\") | .fix'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

func (a *app) doctor(ctx context.Context) error {
	url, err := a.address()
	if err != nil {
		return err
	}
	status := 0
	tell := func(f doctor.Finding) error {
		if f.State == doctor.Failed && status == 0 {
			status = exitFailure
		}
		return a.finding(f)
	}
	began := time.Now()
	err = a.with(ctx, func(client reception.Client) error {
		connected := doctor.Finding{Check: "connection", State: doctor.OK, Detail: fmt.Sprintf("%s was reached in %v",
			redacted(url), time.Since(began).Round(100*time.Microsecond))}
		if err := tell(connected); err != nil {
			return err
		}
		defer terminal.Progress(a.err, "examining "+redacted(url))()
		examination := &doctor.Examination{Client: client, Timeout: a.timeout, Tell: tell}
		return examination.Run(ctx)
	})
	if errors.Is(err, reception.ErrUnavailable) || errors.Is(err, reception.ErrPermission) {
		for _, f := range doctor.Unreached(ctx, url, err) {
			if err := tell(f); err != nil {
				return err
			}
		}
		return exit(statusOf(err))
	}
	if err != nil {
		return err
	}
	return exit(status)
}

// looks are how states look.
var looks = map[doctor.State]terminal.Style{
	doctor.OK: terminal.Green, doctor.Warning: terminal.Yellow, doctor.Failed: terminal.Red, doctor.Unknown: terminal.Dim,
}

// finding shows one finding as it is made.
func (a *app) finding(f doctor.Finding) error {
	if a.format == formatJSON {
		return a.line(f)
	}
	_, err := fmt.Fprintf(a.out, "%s  %-12s  %s\n",
		a.out.Paint(looks[f.State], fmt.Sprintf("%-7s", f.State)), f.Check, terminal.Printable(f.Detail))
	if err == nil && f.Fix != "" {
		_, err = fmt.Fprintf(a.out, "%23s%s\n", "", a.out.Paint(terminal.Bold, "fix: "+f.Fix))
	}
	return err
}
