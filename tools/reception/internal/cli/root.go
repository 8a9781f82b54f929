package cli

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/go-reception/sdk/reception"
)

const rootHelp = `Reception shows and uses what a cluster knows about its services: who is there, and who leads. It works over
Consul, etcd, ZooKeeper (also found through Exhibitor) and a fake in memory; --url or RECEPTION_URL says where.

Tables are for people and may change; -o json is for programs. What watches writes one object a line. Colours and
progress are for terminals only; NO_COLOR turns colours off.

` + exitHelp

const rootExamples = `  export RECEPTION_URL=etcd://127.0.0.1:2379
  reception status                          # names, instances and leaders on one screen
  reception list api -o json
  reception register api --address 10.0.0.7 --port 8080 -- ./api-server
  reception elect reaper -- ./reap.sh       # runs while it leads, with RECEPTION_TOKEN
  reception doctor                          # what is wrong, and what would be a fix
  reception demo                            # see it at work, with nothing installed`

// root returns the command with all its subcommands. parsed turns true once the command line has made sense to cobra.
func (a *app) root() (root *cobra.Command, parsed *bool) {
	parsed = new(bool)
	root = &cobra.Command{
		Use:               "reception",
		Short:             "Service discovery and leader election over Consul, etcd and ZooKeeper",
		Long:              rootHelp,
		Example:           rootExamples,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRun:  func(*cobra.Command, []string) { *parsed = true },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(knownFlags)
	flags := root.PersistentFlags()
	flags.StringVar(&a.url, "url", "", "the backend, such as etcd://10.0.0.1:2379,10.0.0.2:2379?prefix=/prod; $"+urlVar+" where not given")
	flags.VarP(&a.format, "output", "o", "table or json")
	flags.DurationVar(&a.timeout, "timeout", 10*time.Second, "how long the backend may take for an answer")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "say on standard error what happens, also where that is no terminal")
	complete(root, "output", formatTable, formatJSON)
	_ = root.RegisterFlagCompletionFunc("url", completeSchemes) // it fails for flags that there are not
	root.AddCommand(a.namesCommand(), a.listCommand(), a.watchCommand(), a.registerCommand(),
		a.leaderCommand(), a.electCommand(), a.statusCommand(), a.doctorCommand(), a.demoCommand())
	return root, parsed
}

// version returns the version of the module that the command was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// knownFlags adds to a complaint about flags which ones there are.
func knownFlags(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, "--"+f.Name)
		}
	})
	return fmt.Errorf("%w; the flags of %s are %s", err, cmd.CommandPath(), strings.Join(known, ", "))
}

// A format is a way to write what was found.
type format string

// The formats.
const (
	formatTable format = "table"
	formatJSON  format = "json"
)

// String implements [pflag.Value].
func (f *format) String() string { return string(*f) }

// Set implements [pflag.Value].
func (f *format) Set(text string) error {
	if text != string(formatTable) && text != string(formatJSON) {
		return errors.New("must be table or json")
	}
	*f = format(text)
	return nil
}

// Type implements [pflag.Value].
func (f *format) Type() string { return "format" }

// complete has shells offer values for a flag.
func complete[T ~string](cmd *cobra.Command, flag string, values ...T) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		offers := make([]cobra.Completion, 0, len(values))
		for _, value := range values {
			offers = append(offers, string(value))
		}
		return offers, cobra.ShellCompDirectiveNoFileComp
	}) // it fails for flags that there are not
}

// completeSchemes offers the beginnings of addresses.
func completeSchemes(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var offers []cobra.Completion
	for _, scheme := range reception.Schemes() {
		offers = append(offers, scheme+"://")
	}
	return offers, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
