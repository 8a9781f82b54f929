package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/job"
)

// A registration is one run of register.
type registration struct {
	*app
	flags    serviceFlags
	grace    time.Duration
	service  *reception.Service
	replaced chan struct{} // closed when another client has taken the record over
}

// registerCommand registers an instance for as long as something lives.
func (a *app) registerCommand() *cobra.Command {
	r := &registration{app: a, replaced: make(chan struct{})}
	cmd := &cobra.Command{
		Use:   "register NAME --address HOST [flags] [-- command …]",
		Short: "Register an instance for as long as a command lives, or this one",
		Long: `Register keeps an instance registered, through every outage, for as long as it runs itself, or the command that
stands after --. An interruption (SIGINT, SIGTERM) deregisters it, and goes to the command, which is killed unless it
ends within --grace; other signals go to the command, too. The exit status is the command's; without one it is 0.

The command runs in a process group of its own, which does not outlive this process, even if that is killed. If it
ends and leaves something in its group, that is stopped as well. It finds RECEPTION_ID in its environment.`,
		Example: `  reception register api --address 10.0.0.7 --port 8080 --attr zone=a
  reception register api --address $(hostname) --port 8080 -- ./api-server --port 8080`,
		Args: thenCommand("the NAME of a service", false),
		RunE: func(cmd *cobra.Command, args []string) error {
			before, command := splitCommand(cmd, args)
			return r.run(cmd.Context(), before[0], command)
		},
	}
	r.flags.add(cmd)
	cmd.Flags().DurationVar(&r.grace, "grace", 10*time.Second, "how long the command has to stop")
	return cmd
}

func (r *registration) run(ctx context.Context, name string, command []string) (err error) {
	if r.flags.address == "" {
		return usagef("register needs --address, the host name or IP address at which others reach the instance")
	}
	if r.grace < 0 {
		return usagef("--grace must not be negative")
	}
	if r.service, err = r.flags.service(name); err != nil {
		return err
	}
	if err := findCommand(command); err != nil {
		return err
	}
	return r.with(ctx, func(client reception.Client) error {
		err := r.ask(ctx, "registering "+identity(r.service), func(ctx context.Context) error {
			return client.Register(ctx, r.service, r.disconnected)
		})
		if err != nil {
			return err
		}
		if len(command) > 0 {
			r.tell("%s is registered at %s", identity(r.service), place(r.service))
			return r.accompany(ctx, client, command)
		}
		if err := r.say(); err != nil {
			return err
		}
		return r.linger(ctx)
	})
}

// disconnected tells people of an outage.
func (r *registration) disconnected(err error) {
	r.warn("%v", err)
	if errors.Is(err, reception.ErrReplaced) {
		close(r.replaced) // it is the last call
	}
}

// say shows what was registered, with the ID that others know it by.
func (r *registration) say() error {
	if r.format == formatJSON {
		return r.line(viewOf(r.service))
	}
	_, err := fmt.Fprintf(r.out, "%s is registered at %s until this is interrupted\n", identity(r.service), place(r.service))
	return err
}

// linger waits for the end of ctx. The close of the client deregisters.
func (r *registration) linger(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-r.replaced:
		return &exitError{exitFailure, fmt.Errorf("%s is no longer ours to keep registered", identity(r.service))}
	}
}

// accompany runs the command. When ctx ends it deregisters the instance while the command stops.
func (r *registration) accompany(ctx context.Context, client reception.Client, command []string) error {
	withdrawn := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(withdrawn)
		r.withdraw(client)
	})
	status, err := job.Run(ctx, context.Background(), r.spec(command, r.grace, "RECEPTION_ID="+r.service.ID))
	if !stop() {
		<-withdrawn
	}
	if err != nil {
		return err
	}
	return exit(status)
}

// withdraw deregisters the instance.
func (r *registration) withdraw(client reception.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), r.timeout)
	defer cancel()
	if err := client.Deregister(ctx, r.service); err != nil && !errors.Is(err, reception.ErrNotRegistered) {
		r.warn("%v", err)
	}
}
