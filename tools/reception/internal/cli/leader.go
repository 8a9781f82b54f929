package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

// leaderCommand shows who leads.
func (a *app) leaderCommand() *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:   "leader ELECTION",
		Short: "Show who leads an election, and the token of the term",
		Long: `Leader shows who leads an election, and the fencing token of the term. Where nobody leads it exits with status 3.
With --watch it goes on to show each change until it is interrupted or its reader is gone; then the exit status is 0.`,
		Example: "  reception leader reaper\n  reception leader reaper --watch -o json",
		Args:    exactly("the name of an ELECTION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if watch {
				return a.watchLeader(cmd, args[0])
			}
			return a.leader(cmd, args[0])
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show each change")
	return cmd
}

func (a *app) leader(cmd *cobra.Command, election string) error {
	var leader *reception.Leader
	err := a.readOnce(cmd, "asking who leads "+election, func(ctx context.Context, client reception.Client) (err error) {
		leader, err = client.Leader(ctx, election)
		return err
	})
	nobody := errors.Is(err, reception.ErrNoLeader)
	switch {
	case err != nil && !nobody:
		return err
	case a.format == formatJSON:
		err = a.document(leaderOf(election, leader))
	case !nobody:
		err = leaders(leaderRow{election, leader}).Print(a.out)
	}
	if nobody && (err == nil || errors.Is(err, reception.ErrNoLeader)) {
		return errNothing("nobody leads %s", election)
	}
	return err
}

// A leaderRow is one election and who leads it.
type leaderRow struct {
	election string
	leader   *reception.Leader // nil: nobody
}

// leaders returns a table of elections.
func leaders(rows ...leaderRow) *terminal.Table {
	t := &terminal.Table{Header: []string{"ELECTION", "LEADER", "ADDRESS", "TOKEN", "ATTRIBUTES"}}
	for _, row := range rows {
		if row.leader == nil {
			t.Row(terminal.Cell{Text: row.election}, terminal.Cell{Text: "nobody", Style: terminal.Yellow})
			continue
		}
		s := row.leader.Service
		t.Row(terminal.Cells(row.election, identity(s), place(s), fmt.Sprint(row.leader.Token), facts(s))...)
	}
	return t
}

func (a *app) watchLeader(cmd *cobra.Command, election string) error {
	return a.with(cmd.Context(), func(client reception.Client) error {
		watcher := client.NewLeaderWatcher(election)
		defer watcher.Stop()
		states, err := watcher.Start(cmd.Context())
		if err != nil {
			return err
		}
		return follow(a, "watching "+election, states, a.leaderLines(election))
	})
}

// leaderLines writes a line for each state.
func (a *app) leaderLines(election string) func(*reception.LeaderState) error {
	return func(s *reception.LeaderState) error {
		now := time.Now()
		if a.format == formatJSON {
			view := leaderOf(election, s.Leader)
			view.Error = trouble(s.Err)
			return a.line(struct {
				Time time.Time `json:"time"`
				leaderView
			}{now.UTC(), view})
		}
		text := "nobody leads"
		switch {
		case s.Err != nil:
			text = "in doubt: " + words(s.Err)
		case s.Leader != nil:
			text = fmt.Sprintf("%s leads with token %d", identity(s.Leader.Service), s.Leader.Token)
		}
		_, err := fmt.Fprintf(a.out, "%s %s\n", now.Format(time.DateTime), terminal.Printable(text))
		return err
	}
}
