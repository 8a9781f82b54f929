// Package offline builds stand-ins for the official server images out of Go
// modules and Debian packages, for machines that have no image registry.
//
// A stand-in keeps the entrypoint contract of the official image, so that one
// container request fits both, and has no shell. Its tag is a hash of everything
// that went into it, so a changed recipe is a new image and an unchanged one is
// never built twice: the root file system is kept as a tar file in the user's
// cache folder, and imported from there when an engine does not have it.
//
// # Limits
//
// The stand-ins run as root and have no UI, no certificates and no tools. The
// ZooKeeper image needs Debian's apt-get and dpkg-deb (root rights are not
// needed), and its version is that of the machine's Debian release.
package offline

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
)

// repository is the first part of the stand-ins' names.
const repository = "reception-offline/"

// Recipe says how one image is made.
type Recipe struct {
	Name    string   // the name in the repository, such as etcd
	inputs  []string // everything beside changes that decides about the content
	changes []string // the image's configuration, as Dockerfile instructions
	build   func(ctx context.Context, b *builder) error
}

// Ref returns the name and tag under which an engine knows the image.
func (r Recipe) Ref() string { return repository + r.Name + ":" + r.hash() }

// hash covers the inputs and the architecture, which is that of this machine.
func (r Recipe) hash() string {
	h := sha256.New()
	for _, part := range slices.Concat([]string{runtime.GOARCH}, r.changes, []string{""}, r.inputs) {
		_, _ = fmt.Fprintf(h, "%d %s\n", len(part), part) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// builder is one run of a recipe: where it may work and what it writes to.
type builder struct {
	dir    string // an empty folder, removed afterwards
	tar    *tar.Writer
	seen   map[string]bool   // paths that copyFiles has written
	labels map[string]string // what was built, for the image's labels
	log    func(format string, args ...any)
}

// Recipes returns all recipes.
func Recipes() []Recipe { return []Recipe{Etcd(), Consul(), ZooKeeper(), Partition()} }

// Etcd returns the recipe of etcd's server: /usr/local/bin/etcd and nothing else.
func Etcd() Recipe {
	server := goModule{path: "go.etcd.io/etcd/server/v3", version: "v3.7.3"}
	return Recipe{
		Name:   "etcd",
		inputs: []string{server.String()},
		changes: []string{
			`CMD ["/usr/local/bin/etcd"]`, `EXPOSE 2379 2380`,
		},
		build: func(ctx context.Context, b *builder) error {
			return b.addModule(ctx, server, "usr/local/bin/etcd")
		},
	}
}

// Consul returns the recipe of Consul.
func Consul() Recipe {
	server := goModule{path: "github.com/hashicorp/consul", version: "v1.21.0"}
	return Recipe{
		Name:   "consul",
		inputs: append(sources("consul"), server.String()),
		changes: []string{
			`ENTRYPOINT ["/usr/local/bin/docker-entrypoint"]`,
			`CMD ["agent", "-dev", "-client", "0.0.0.0"]`,
			`ENV PATH=/usr/local/bin:/bin CONSUL_DATA_DIR=/consul/data CONSUL_CONFIG_DIR=/consul/config`,
			`EXPOSE 8300 8301 8301/udp 8302 8302/udp 8500 8600 8600/udp`,
			`VOLUME /consul/data`,
		},
		build: func(ctx context.Context, b *builder) error {
			if err := b.addFolders("tmp", "consul/data", "consul/config"); err != nil {
				return err
			}
			if err := b.addModule(ctx, server, "bin/consul"); err != nil {
				return err
			}
			return b.addProgram(ctx, "consul", "usr/local/bin/docker-entrypoint")
		},
	}
}

// ZooKeeper returns the recipe of ZooKeeper: a Java runtime and Debian's
// ZooKeeper with what they depend on.
func ZooKeeper() Recipe {
	packages := []string{"libzookeeper-java", "default-jre-headless"}
	return Recipe{
		Name:   "zookeeper",
		inputs: append(sources("zookeeper"), packages...),
		changes: []string{
			`ENTRYPOINT ["/usr/local/bin/docker-entrypoint"]`,
			`CMD ["zkServer.sh", "start-foreground"]`,
			`ENV PATH=/usr/local/bin:/usr/bin:/bin JAVA_HOME=/usr/lib/jvm/default-java ` +
				`ZOO_CONF_DIR=/conf ZOO_DATA_DIR=/data ZOO_DATA_LOG_DIR=/datalog`,
			`EXPOSE 2181 2888 3888 8080`,
			`VOLUME /data /datalog`,
		},
		build: func(ctx context.Context, b *builder) error {
			if err := b.addPackages(ctx, packages); err != nil {
				return err
			}
			if err := b.addFolders("tmp", "conf", "data", "datalog"); err != nil {
				return err
			}
			return b.addProgram(ctx, "zookeeper", "usr/local/bin/docker-entrypoint")
		},
	}
}

// Partition returns the recipe of the program that keeps two servers apart; see
// package partition. It has no official counterpart.
func Partition() Recipe {
	return Recipe{
		Name:    "partition",
		inputs:  sources("partition"),
		changes: []string{`ENTRYPOINT ["/partition"]`},
		build: func(ctx context.Context, b *builder) error {
			return b.addProgram(ctx, "partition", "partition")
		},
	}
}

// sources returns the text of a program's files, as inputs of a recipe.
func sources(program string) []string {
	var texts []string
	for _, name := range programFiles(program) {
		text, err := fs.ReadFile(programs, name)
		if err != nil {
			panic(fmt.Sprintf("offline: %s was embedded and cannot be read: %v", name, err))
		}
		texts = append(texts, name+"\n"+string(text))
	}
	return texts
}

// programFiles returns the embedded Go files of a program, without its tests.
func programFiles(program string) []string {
	all, err := fs.Glob(programs, "programs/"+program+"/*.go")
	if err != nil || len(all) == 0 {
		panic(fmt.Sprintf("offline: no embedded program %s (%v)", program, err))
	}
	return slices.DeleteFunc(all, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}
