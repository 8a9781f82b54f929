package cli

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/job"
)

// serviceFlags describe an instance on the command line.
type serviceFlags struct {
	id, address string
	port        int
	attributes  []string
}

// add adds the flags to a command.
func (f *serviceFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.id, "id", "", "what tells it apart from others of its name; random where not given")
	flags.StringVar(&f.address, "address", "", "the host name or IP address at which others reach it")
	flags.IntVar(&f.port, "port", 0, "the port at that address; 0 for none")
	flags.StringArrayVar(&f.attributes, "attr", nil, "a fact about it, as key=value; may be repeated")
}

// service returns the instance that the flags describe. The client checks the limits.
func (f *serviceFlags) service(name string) (*reception.Service, error) {
	s := &reception.Service{Name: name, ID: f.id, Address: f.address, Port: f.port, Attributes: reception.Attributes{}}
	if s.ID == "" {
		s.ID = uuid.NewString()
	}
	for _, pair := range f.attributes {
		key, value, found := strings.Cut(pair, "=")
		if !found || key == "" {
			return nil, usagef("--attr %q: must look like key=value", pair)
		}
		if _, twice := s.Attributes[key]; twice {
			return nil, usagef("--attr: %q is given twice", key)
		}
		s.Attributes[key] = value
	}
	return s, nil
}

// thenCommand takes one argument and, after --, a command, without which it is content unless that is needed.
func thenCommand(thing string, needed bool) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		before, command := splitCommand(cmd, args)
		switch {
		case len(before) > 1:
			return fmt.Errorf("%s takes %s, got %s; a command to run goes after --, as in: %s %s -- %s",
				cmd.CommandPath(), thing, quoted(before), cmd.CommandPath(), before[0], strings.Join(before[1:], " "))
		case len(before) == 0:
			return fmt.Errorf("%s takes %s, got nothing", cmd.CommandPath(), thing)
		case len(command) == 0 && (needed || cmd.ArgsLenAtDash() >= 0):
			return fmt.Errorf("%s needs a command to run after --, as in: %s %s -- ./run.sh", cmd.CommandPath(), cmd.CommandPath(), before[0])
		}
		return nil
	}
}

// splitCommand splits arguments at the --.
func splitCommand(cmd *cobra.Command, args []string) (before, command []string) {
	if at := cmd.ArgsLenAtDash(); at >= 0 {
		return args[:at], args[at:]
	}
	return args, nil
}

// findCommand reports a command that cannot be found, so that nobody is registered or waits for the lead in its place.
func findCommand(command []string) error {
	if len(command) == 0 {
		return nil
	}
	return job.Find(command[0])
}
