package containers

import (
	"slices"
	"strings"
	"testing"

	"github.com/testcontainers/testcontainers-go"

	"github.com/go-reception/sdk/testkit/containers/internal/offline"
)

func TestChooseImage(t *testing.T) {
	for _, backend := range Backends() {
		needEngine(t, backend, nil)
		image, err := ChooseImage(t.Context(), backend)
		if err != nil {
			t.Fatal(err)
		}
		if image.Ref == "" || !strings.Contains(image.String(), string(image.Source)) {
			t.Errorf("%s: %q", backend, image)
		}
	}
	if image, err := ChooseImage(t.Context(), "nonesuch"); err == nil {
		t.Errorf("an unknown backend: %v", image)
	}
}

func TestTheEnvironmentsImageComesFirst(t *testing.T) {
	needEngine(t, BackendEtcd, nil)
	t.Setenv("RECEPTION_ETCD_IMAGE", offline.ZooKeeper().Ref())
	image, err := choose(t.Context(), BackendEtcd)
	if image.Ref != offline.ZooKeeper().Ref() || image.Source != FromEnvironment {
		t.Errorf("choose = %v, %v", image, err)
	}
	t.Setenv("RECEPTION_ETCD_IMAGE", "reception-offline/nonesuch:1")
	if image, err := choose(t.Context(), BackendEtcd); err == nil {
		t.Errorf("an image that does not exist: %v; another must not take its place", image)
	}
}

// The same options work on every image of a backend that is there: on machines
// that have official images these are compared with the stand-ins.
func TestImagesKeepTheSameContract(t *testing.T) {
	for _, backend := range Backends() {
		needEngine(t, backend, nil)
		engine, err := dockerEngine(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		product := products[backend]
		var tried []string
		for _, ref := range []string{product.official, product.standIn().Ref()} {
			there, err := offline.Present(t.Context(), engine, ref)
			if err != nil {
				t.Fatal(err)
			}
			if !there {
				continue
			}
			tried = append(tried, ref)
			opts := []testcontainers.ContainerCustomizer{WithImage(ref)}
			var c *Cluster
			switch backend {
			case BackendConsul:
				c = StartConsul(t, append(opts, WithTLS(), WithConsulACL("6f3c1f0e-52a4-4c7e-9a3e-1d8f6f0a9b11"))...).Cluster
			case BackendEtcd:
				c = StartEtcd(t, append(opts, WithTLS(), WithEtcdRootPassword("secret"))...).Cluster
			case BackendZooKeeper:
				c = StartZooKeeper(t, append(opts, WithZooKeeperSuper("secret"))...).Cluster
			}
			if got := c.Image(); got.Ref != ref || got.Source != FromOption {
				t.Errorf("%s: Image() = %v", ref, got)
			}
		}
		if len(tried) == 0 || !slices.ContainsFunc(tried, func(ref string) bool { return ref != "" }) {
			t.Errorf("%s: no image to try", backend)
		}
	}
}
