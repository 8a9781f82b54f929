package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

// watchCommand follows instances.
func (a *app) watchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "watch NAME",
		Short: "Follow the instances of a service as they come and go",
		Long: `Watch shows the instances of a service as they come and go: on a terminal as a table that is kept up to date,
elsewhere a line for each change, and with -o json an object a line, which has the whole list and what is different.
It goes on through outages, of which it tells, until it is interrupted or its reader is gone; then the exit status is 0.`,
		Example:           "  reception watch api\n  reception watch api -o json | jq -c '.services | length'",
		Args:              exactly("the NAME of a service"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(client reception.Client) error {
				return a.watch(cmd.Context(), client, args[0])
			})
		},
	}
}

// watch shows states until ctx ends.
func (a *app) watch(ctx context.Context, client reception.Client, name string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watcher := client.NewWatcher(name)
	defer watcher.Stop()
	states, err := watcher.Start(ctx)
	if err != nil {
		return err
	}
	show := a.watchLines()
	switch {
	case a.format == formatJSON:
		show = a.watchJSON(name)
	case a.out.IsTerminal():
		show = a.watchLive(name)
	}
	return follow(a, "watching "+name, states, show)
}

// follow shows states until the channel is closed.
func follow[S any](a *app, what string, states <-chan S, show func(S) error) error {
	first := terminal.Progress(a.err, what)
	defer first()
	for state := range states {
		first()
		if err := show(state); err != nil {
			return err
		}
	}
	return nil
}

// A stateView is a state of a watch as programs read it.
type stateView struct {
	Time     time.Time     `json:"time"`
	Name     string        `json:"name"`
	Services []serviceView `json:"services"`
	Added    []serviceView `json:"added"`
	Updated  []serviceView `json:"updated"`
	Removed  []serviceView `json:"removed"`
	Error    string        `json:"error,omitempty"`
}

// watchJSON writes an object for each state.
func (a *app) watchJSON(name string) func(*reception.ServiceState) error {
	return func(s *reception.ServiceState) error {
		return a.line(stateView{
			Time: time.Now().UTC(), Name: name, Services: viewsOf(s.Services), Added: viewsOf(s.Added),
			Updated: viewsOf(s.Updated), Removed: viewsOf(s.Removed), Error: trouble(s.Err),
		})
	}
}

// watchLive keeps a table up to date.
func (a *app) watchLive(name string) func(*reception.ServiceState) error {
	live := terminal.NewLive(a.out)
	return func(s *reception.ServiceState) error {
		title := terminal.Cell{Style: terminal.Cyan, Text: fmt.Sprintf("%s: %s since %s",
			name, plural(len(s.Services), "instance"), time.Now().Format(time.TimeOnly))}
		if s.Err != nil {
			title = terminal.Cell{Style: terminal.Red, Text: fmt.Sprintf("%s: in doubt since %s: %v",
				name, time.Now().Format(time.TimeOnly), words(s.Err))}
		}
		table := &terminal.Table{Header: []string{"", "ID", "ADDRESS", "ATTRIBUTES"}}
		signs := signsOf(s)
		for _, service := range s.Services {
			mark := signs[service.ID]
			table.Row(terminal.Cell{Text: mark.text, Style: mark.style}, terminal.Cell{Text: service.ID, Style: mark.style},
				terminal.Cell{Text: place(service)}, terminal.Cell{Text: facts(service), Style: terminal.Dim})
		}
		for _, service := range s.Removed {
			table.Row(terminal.Cell{Text: "-", Style: terminal.Red}, terminal.Cell{Text: service.ID, Style: terminal.Red},
				terminal.Cell{Text: place(service), Style: terminal.Dim})
		}
		return live.Show(title, table)
	}
}

// A sign marks what is different about an instance.
type sign struct {
	text  string
	style terminal.Style
}

// signsOf returns the signs of the instances that were added or updated.
func signsOf(s *reception.ServiceState) map[string]sign {
	signs := make(map[string]sign)
	for _, service := range s.Added {
		signs[service.ID] = sign{"+", terminal.Green}
	}
	for _, service := range s.Updated {
		signs[service.ID] = sign{"~", terminal.Yellow}
	}
	return signs
}

// watchLines writes a line for each change.
func (a *app) watchLines() func(*reception.ServiceState) error {
	return func(s *reception.ServiceState) error {
		at := time.Now().Format(time.DateTime)
		if s.Err != nil {
			_, err := fmt.Fprintf(a.out, "%s ! %s\n", at, terminal.Printable(words(s.Err)))
			return err
		}
		for _, change := range []struct {
			sign     string
			services []*reception.Service
		}{{"+", s.Added}, {"~", s.Updated}, {"-", s.Removed}} {
			for _, service := range change.services {
				if err := a.changeLine(at, change.sign, service); err != nil {
					return err
				}
			}
		}
		_, err := fmt.Fprintf(a.out, "%s = %s\n", at, plural(len(s.Services), "instance"))
		return err
	}
}

func (a *app) changeLine(at, sign string, s *reception.Service) error {
	text := at + " " + sign + " " + s.ID + " " + place(s)
	if about := facts(s); about != "" {
		text += " " + terminal.Printable(about)
	}
	_, err := fmt.Fprintln(a.out, text)
	return err
}

// words is an error for people, who know which command it is that speaks.
func words(err error) string { return strings.TrimPrefix(err.Error(), "reception: ") }

// trouble is an error for programs.
func trouble(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
