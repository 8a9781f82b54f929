package cli

import (
	"github.com/spf13/cobra"

	"github.com/go-reception/sdk/tools/reception/internal/demo"
)

// demoCommand shows the SDK at work.
func (a *app) demoCommand() *cobra.Command {
	var fast bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch registrations, a fail-over and a recovery on a cluster inside this command",
		Long: `Demo starts an in-memory cluster and three processes, p1 to p3, that each register an
instance of the service "api" and stand for the election "reaper". Then it cuts the leader
off from the cluster: see its term end before the next one begins, its registration
disappear, and both its registration and its candidacy come back by themselves.`,
		Example: "  reception demo\n  reception demo --fast   # the same in under a second",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return demo.Run(cmd.Context(), a.out, fast) },
	}
	cmd.Flags().BoolVar(&fast, "fast", false, "do not wait for people to read along")
	return cmd
}
