package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-reception/sdk/reception"
)

// errNothing is that there is nothing to show.
func errNothing(format string, args ...any) error {
	return &exitError{exitNothing, fmt.Errorf(format, args...)}
}

// namesCommand lists names.
func (a *app) namesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "names",
		Short:   "List the names that have an instance",
		Long:    "Names lists the names of services that have a live instance, one a line. With none it exits with status 3.",
		Example: "  reception names\n  for name in $(reception names); do reception list $name; done",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.names(cmd) },
	}
}

func (a *app) names(cmd *cobra.Command) error {
	var names []string
	err := a.readOnce(cmd, "listing names", func(ctx context.Context, client reception.Client) (err error) {
		names, err = client.ListNames(ctx)
		return err
	})
	switch {
	case err != nil:
		return err
	case a.format == formatJSON:
		err = a.document(append([]string{}, names...))
	case len(names) > 0:
		_, err = fmt.Fprintln(a.out, strings.Join(names, "\n"))
	}
	if len(names) == 0 && err == nil {
		return errNothing("no service has an instance")
	}
	return err
}

// listCommand lists instances.
func (a *app) listCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "list NAME",
		Short:             "List the instances of a service, oldest first",
		Long:              "List shows the healthy instances of a service, oldest first. With none it exits with status 3.",
		Example:           "  reception list api\n  reception list api -o json | jq -r '.[].address'",
		Args:              exactly("the NAME of a service"),
		ValidArgsFunction: a.completeNames,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.list(cmd, args[0]) },
	}
}

func (a *app) list(cmd *cobra.Command, name string) error {
	var services []*reception.Service
	err := a.readOnce(cmd, "listing "+name, func(ctx context.Context, client reception.Client) (err error) {
		services, err = client.ListServices(ctx, name)
		return err
	})
	switch {
	case err != nil:
		return err
	case a.format == formatJSON:
		err = a.document(viewsOf(services))
	case len(services) > 0:
		err = instances(services).Print(a.out)
	}
	if len(services) == 0 && err == nil {
		return errNothing("%s has no instance", name)
	}
	return err
}

// exactly takes arguments for things of these descriptions.
func exactly(things ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(things) {
			return nil
		}
		return fmt.Errorf("%s takes %s, got %s", cmd.CommandPath(), strings.Join(things, " and "), quoted(args))
	}
}

// quoted shows arguments.
func quoted(args []string) string {
	if len(args) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%q", args)
}

// completeNames offers the names that the backend has. It says nothing about what goes wrong: somebody is typing.
func (a *app) completeNames(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	err := a.readOnce(cmd, "listing names", func(ctx context.Context, client reception.Client) (err error) {
		names, err = client.ListNames(ctx)
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
