// Command offlineimages builds stand-ins for the official server images out of
// Go modules and Debian packages, for machines without an image registry:
//
//	offlineimages [-if-needed] [consul etcd zookeeper partition]
//
// Without names it builds all. An image that the engine has is not built again,
// and what was built once is kept in the user's cache folder. With -if-needed
// it leaves out those whose official image is there or can be pulled, and does
// nothing at all where no container engine answers: the tests report that.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/go-reception/sdk/testkit/containers"
	"github.com/go-reception/sdk/testkit/containers/internal/offline"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("offlineimages: ")
	ifNeeded := flag.Bool("if-needed", false, "leave out what has an official image, and do nothing without an engine")
	flag.Parse()
	if err := run(*ifNeeded, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(ifNeeded bool, names []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	recipes, err := choose(names)
	if err != nil {
		return err
	}
	engine, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err == nil {
		_, err = engine.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	}
	if err != nil {
		err = fmt.Errorf("no container engine answers: %w", err)
		if ifNeeded {
			log.Printf("nothing is built: %v", err)
			return nil
		}
		return err
	}
	for _, recipe := range recipes {
		backend := containers.Backend(recipe.Name)
		if ifNeeded && slices.Contains(containers.Backends(), backend) {
			image, err := containers.ChooseImage(ctx, backend)
			if err == nil && image.Source != containers.StandIn {
				continue
			}
		}
		if err := offline.Ensure(ctx, engine, recipe, log.Printf); err != nil {
			return err
		}
		log.Printf("%s is there as %s", recipe.Name, recipe.Ref())
	}
	return nil
}

// choose returns the recipes with these names, or all.
func choose(names []string) ([]offline.Recipe, error) {
	if len(names) == 0 {
		return offline.Recipes(), nil
	}
	var recipes []offline.Recipe
	var errs []error
	for _, name := range names {
		at := slices.IndexFunc(offline.Recipes(), func(r offline.Recipe) bool { return r.Name == name })
		if at < 0 {
			errs = append(errs, fmt.Errorf("there is no image %q", name))
			continue
		}
		recipes = append(recipes, offline.Recipes()[at])
	}
	return recipes, errors.Join(errs...)
}
