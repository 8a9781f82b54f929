package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

// statusParallel is how many questions status asks at a time.
const statusParallel = 16

// statusCommand shows everything on one screen.
func (a *app) statusCommand() *cobra.Command {
	var elections []string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show names, instances and leaders on one screen",
		Long: `Status shows the names of services that have an instance, how many and where, and who leads the election of the
same name, if anybody does. A backend does not list elections: name others with --election.`,
		Example: "  reception status\n  reception status --election reaper --election billing -o json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.status(cmd, elections) },
	}
	cmd.Flags().StringArrayVarP(&elections, "election", "e", nil, "show who leads this one, too; may be repeated")
	return cmd
}

// A statusEntry is what status knows about one name or election.
type statusEntry struct {
	name      string
	instances []*reception.Service
	leader    *reception.Leader // nil: nobody
}

func (a *app) status(cmd *cobra.Command, elections []string) error {
	var names, others []*statusEntry
	err := a.readOnce(cmd, "looking around", func(ctx context.Context, client reception.Client) error {
		found, err := client.ListNames(ctx)
		if err != nil {
			return err
		}
		for _, name := range found {
			names = append(names, &statusEntry{name: name})
		}
		for _, election := range elections {
			if !slices.Contains(found, election) {
				others = append(others, &statusEntry{name: election})
			}
		}
		return lookAt(ctx, client, slices.Concat(names, others))
	})
	if err != nil {
		return err
	}
	if a.format == formatJSON {
		return a.statusJSON(names, others)
	}
	return a.statusTable(names, others)
}

// lookAt fills entries, side by side.
func lookAt(ctx context.Context, client reception.Client, entries []*statusEntry) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(statusParallel)
	for _, entry := range entries {
		group.Go(func() (err error) {
			entry.instances, err = client.ListServices(ctx, entry.name)
			return err
		})
		group.Go(func() (err error) {
			entry.leader, err = client.Leader(ctx, entry.name)
			if errors.Is(err, reception.ErrNoLeader) {
				return nil
			}
			return err
		})
	}
	return group.Wait()
}

func (a *app) statusJSON(names, others []*statusEntry) error {
	type service struct {
		Name      string        `json:"name"`
		Instances []serviceView `json:"instances"`
	}
	view := struct {
		Services  []service    `json:"services"`
		Elections []leaderView `json:"elections"`
	}{[]service{}, []leaderView{}}
	for _, entry := range names {
		view.Services = append(view.Services, service{entry.name, viewsOf(entry.instances)})
		if entry.leader != nil {
			view.Elections = append(view.Elections, leaderOf(entry.name, entry.leader))
		}
	}
	for _, entry := range others {
		view.Elections = append(view.Elections, leaderOf(entry.name, entry.leader))
	}
	return a.document(view)
}

func (a *app) statusTable(names, others []*statusEntry) error {
	total := 0
	table := &terminal.Table{Header: []string{"NAME", "INSTANCES", "LEADER", "TOKEN", "WHERE"}}
	for _, entry := range names {
		total += len(entry.instances)
		row := []terminal.Cell{{Text: entry.name}, {Text: fmt.Sprint(len(entry.instances))}}
		table.Row(append(append(row, leaderCells(entry.leader, "-")...), terminal.Cell{Text: where(entry.instances), Style: terminal.Dim})...)
	}
	if _, err := fmt.Fprintf(a.out, "%s, %s\n", plural(len(names), "name"), plural(total, "instance")); err != nil {
		return err
	}
	for _, entry := range others {
		row := []terminal.Cell{{Text: entry.name}, {Text: "-"}}
		table.Row(append(row, leaderCells(entry.leader, "nobody")...)...)
	}
	if len(names)+len(others) == 0 {
		return nil
	}
	return table.Print(a.out)
}

// leaderCells are the cells about a leader.
func leaderCells(leader *reception.Leader, nobody string) []terminal.Cell {
	if leader == nil {
		return []terminal.Cell{{Text: nobody, Style: terminal.Dim}, {Text: "-", Style: terminal.Dim}}
	}
	return []terminal.Cell{{Text: identity(leader.Service), Style: terminal.Green}, {Text: fmt.Sprint(leader.Token)}}
}

// whereMost is how many places one line shows.
const whereMost = 3

// where lists the places of some instances.
func where(services []*reception.Service) string {
	var places []string
	for _, s := range services[:min(len(services), whereMost)] {
		places = append(places, place(s))
	}
	if more := len(services) - whereMost; more > 0 {
		places = append(places, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(places, ", ")
}
