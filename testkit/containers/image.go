package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/go-reception/sdk/testkit/containers/internal/offline"
)

// pullLimit bounds a pull, and with it what a bad image name costs.
const pullLimit = 3 * time.Minute

// Image is an image that the kit has chosen, and where the choice came from.
type Image struct {
	Ref    string
	Source ImageSource
}

// ImageSource says why an image was chosen.
type ImageSource string

// The sources of an image, strongest first.
const (
	FromOption      ImageSource = "option"
	FromEnvironment ImageSource = "environment"
	Official        ImageSource = "official image"
	StandIn         ImageSource = "offline stand-in"
)

// String returns the image's name and source.
func (i Image) String() string { return fmt.Sprintf("%s (%s)", i.Ref, i.Source) }

// chosen remembers choices, because a pull that fails takes seconds.
var chosen struct {
	sync.Mutex
	images map[Backend]Image
}

// ChooseImage returns the image to run a backend with, and makes sure that the
// engine has it: the one that the environment names, else the pinned official
// one if it is there or can be pulled, else the stand-in. It prints its choice
// once for each backend.
func ChooseImage(ctx context.Context, backend Backend) (Image, error) {
	chosen.Lock()
	defer chosen.Unlock()
	if image, ok := chosen.images[backend]; ok {
		return image, nil
	}
	image, err := choose(ctx, backend)
	if err != nil {
		return Image{}, err
	}
	fmt.Fprintf(os.Stderr, "containers: %s runs from %s\n", backend, image)
	if chosen.images == nil {
		chosen.images = map[Backend]Image{}
	}
	chosen.images[backend] = image
	return image, nil
}

func choose(ctx context.Context, backend Backend) (Image, error) {
	product, ok := products[backend]
	if !ok {
		return Image{}, fmt.Errorf("unknown backend %q: there are %v", backend, Backends())
	}
	if ref := os.Getenv(product.imageVar); ref != "" {
		return Image{Ref: ref, Source: FromEnvironment}, provide(ctx, ref)
	}
	official := provide(ctx, product.official)
	if official == nil {
		return Image{Ref: product.official, Source: Official}, nil
	}
	engine, err := dockerEngine(ctx)
	if err != nil {
		return Image{}, err
	}
	ref := product.standIn().Ref()
	there, err := offline.Present(ctx, engine, ref)
	if err != nil {
		return Image{}, err
	}
	if !there {
		return Image{}, fmt.Errorf("no image for %s: the official one is not available (%w), "+
			"and its stand-in %s is not built: run %s", backend, official, ref, buildCommand)
	}
	return Image{Ref: ref, Source: StandIn}, nil
}

const buildCommand = "`go run github.com/go-reception/sdk/testkit/containers/cmd/offlineimages`"

// provide makes sure that the engine has an image, and pulls it if not. Unlike
// testcontainers it tries once: on a machine without a registry every further
// attempt fails too.
func provide(ctx context.Context, ref string) error {
	engine, err := dockerEngine(ctx)
	if err != nil {
		return err
	}
	there, err := offline.Present(ctx, engine, ref)
	if err != nil {
		return fmt.Errorf("image %s: %w", ref, err)
	}
	if there {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	var options client.ImagePullOptions
	if _, auth, err := testcontainers.DockerImageAuth(ctx, ref); err == nil {
		if options.RegistryAuth, err = authconfig.Encode(auth); err != nil {
			return fmt.Errorf("image %s: %w", ref, err)
		}
	}
	progress, err := engine.ImagePull(ctx, ref, options)
	if err != nil {
		return fmt.Errorf("pull image %s: %w", ref, err)
	}
	_, err = io.Copy(io.Discard, progress)
	if err := errors.Join(err, progress.Close()); err != nil {
		return fmt.Errorf("pull image %s: %w", ref, err)
	}
	// The end of the stream does not say whether it worked.
	if there, err = offline.Present(ctx, engine, ref); err == nil && !there {
		err = errors.New("the engine does not have it afterwards")
	}
	if err != nil {
		return fmt.Errorf("pull image %s: %w", ref, err)
	}
	return nil
}
