package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/job"
	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

// killTime is what is kept of a term for the end of what had to be killed after its grace: a signal's way to the job, and
// its processes' last breath.
const killTime = 200 * time.Millisecond

// A campaigner is one run of elect.
type campaigner struct {
	*app
	flags    serviceFlags
	name     string
	grace    time.Duration
	once     bool
	election string
	command  []string

	ran, finished bool // the command was started; it has ended by itself
	status        int  // its exit status
}

// electCommand runs a command while it leads.
func (a *app) electCommand() *cobra.Command {
	c := &campaigner{app: a}
	cmd := &cobra.Command{
		Use:   "elect ELECTION [flags] -- command …",
		Short: "Run a command only while leading an election",
		Long: `Elect waits for the lead of an election, and runs the command while it leads. When the lead can no longer be vouched
for, the command's process group gets SIGTERM, and SIGKILL when --grace is over: both before anybody else can lead.
Then it campaigns again, or exits with status 5 where --once is given. If the backend says that the lead is gone
already, because somebody has removed the candidacy, the group is killed at once.

The command finds the fencing token of its term in RECEPTION_TOKEN: hand it to whatever the command writes to, and let
that refuse smaller ones. RECEPTION_ELECTION and RECEPTION_ID say what it leads, and as whom. When the command ends
by itself, elect gives up the lead and exits with its status. An interruption (SIGINT, SIGTERM) goes to the command;
a second one kills it. Other signals go to it, too. The lead is given up when nothing is left of the process group.

A term has to last for longer than --grace: where it does not, elect says how much there could be, and does not start.

Nothing outlives this process, even if that is killed with SIGKILL. What elect cannot stop is a process that leaves the
group (setsid), and what goes on while this process itself is stopped (SIGSTOP); against those there is the token.
On Windows there are no process groups: the command alone is killed, without a grace.`,
		Example: `  reception elect reaper -- ./reap.sh
  reception elect reaper --grace 5s --once -- sh -c 'echo "leading with $RECEPTION_TOKEN"; sleep 60'`,
		Args: thenCommand("the name of an ELECTION", true),
		RunE: func(cmd *cobra.Command, args []string) error {
			before, command := splitCommand(cmd, args)
			c.election, c.command = before[0], command
			return c.run(cmd.Context())
		},
	}
	c.flags.add(cmd)
	cmd.Flags().StringVar(&c.name, "name", "", "the candidate's service name; that of the election where not given")
	cmd.Flags().DurationVar(&c.grace, "grace", time.Second, "how long the command has to stop")
	cmd.Flags().BoolVar(&c.once, "once", false, "exit when the lead is lost, rather than campaign again")
	return cmd
}

func (c *campaigner) run(ctx context.Context) error {
	if c.grace < 0 {
		return usagef("--grace must not be negative")
	}
	if err := findCommand(c.command); err != nil {
		return err
	}
	if c.name == "" {
		c.name = c.election
	}
	candidate, err := c.flags.service(c.name)
	if err != nil {
		return err
	}
	describe(candidate)
	return c.with(ctx, func(client reception.Client) error {
		for {
			lost, err := c.lead(ctx, client, candidate)
			if !lost {
				return err
			}
			c.warn("the lead of %s is lost: %s", c.election, words(err))
			if c.once {
				return exit(exitLost)
			}
		}
	})
}

// describe adds to a candidate what tells people which process it is.
func describe(candidate *reception.Service) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	for key, value := range map[string]string{"host": host, "pid": strconv.Itoa(os.Getpid())} {
		if _, given := candidate.Attributes[key]; !given {
			candidate.Attributes[key] = value
		}
	}
}

// lead is one term, and the wait for it. It reports whether the lead was lost, and why.
func (c *campaigner) lead(ctx context.Context, client reception.Client, candidate *reception.Service) (lost bool, err error) {
	c.ran, c.finished = false, false
	c.tell("%s stands for %s", identity(candidate), c.election)
	waiting := terminal.Progress(c.err, "waiting for the lead of "+c.election)
	defer waiting()
	err = reception.RunWithGrace(ctx, client, c.election, candidate, c.grace+killTime,
		func(ctx context.Context, term reception.Term) error {
			waiting()
			return c.runCommand(ctx, term, candidate)
		})
	switch {
	case c.finished:
		return false, exit(c.status)
	case ctx.Err() != nil && c.ran:
		return false, exit(c.status)
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case errors.Is(err, reception.ErrNotLeader), errors.Is(err, reception.ErrSessionExpired):
		return true, err
	case errors.Is(err, reception.ErrGraceTooLong):
		return false, fmt.Errorf("--grace %v, and %v to kill what is left after it: %w", c.grace, killTime, err)
	}
	return false, err
}

// runCommand runs the command until it has ended or the lead is about to.
func (c *campaigner) runCommand(ctx context.Context, term reception.Term, candidate *reception.Service) error {
	if ctx.Err() != nil { // the answer that has begun the term was too slow
		return ctx.Err()
	}
	c.tell("%s leads %s with token %d", identity(candidate), c.election, term.Token())
	spec := c.spec(c.command, c.grace,
		"RECEPTION_TOKEN="+strconv.FormatUint(term.Token(), 10),
		"RECEPTION_ELECTION="+c.election,
		"RECEPTION_ID="+candidate.ID)
	status, err := job.Run(ctx, term.Context(), spec)
	if err != nil {
		return err
	}
	c.ran, c.status = true, status
	c.finished = ctx.Err() == nil
	return ctx.Err()
}
