package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportLaw holds the repository to the laws, for each system that a build
// constraint may tell apart.
func TestImportLaw(t *testing.T) {
	dependOnSources(t)
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			g := graph{}
			for _, dir := range workspace(t) {
				load(t, g, dir, goos)
			}
			for _, v := range check(g) {
				t.Errorf("%v", v)
			}
		})
	}
}

// load adds to g the packages of the module in dir and all that they import.
func load(t *testing.T, g graph, dir, goos string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports,Module", "./...")
	cmd.Dir = filepath.Join("..", "..", dir)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOOS="+goos)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v in %s: %v\n%s", cmd, dir, err, &stderr)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %s: %v", cmd, dir, err)
		}
		g[p.ImportPath] = &p
	}
}

// dependOnSources looks at every file that go list may read, because go test
// reuses a result for as long as nothing has changed that the test itself, not
// a process it starts, has looked at.
func dependOnSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == ".git" {
				return fs.SkipDir
			}
			return err
		}
		if strings.HasSuffix(path, ".go") || strings.HasPrefix(d.Name(), "go.") {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLawsBite breaks each law in turn and expects that to be reported: package,
// import and law.
func TestLawsBite(t *testing.T) {
	broken := map[string]bool{}
	for _, tt := range []struct {
		name  string
		edges string   // "importer > imported", one a line, paths relative to the root; @m is a package of module m
		want  []string // the chain that is reported; nil: the edge
	}{
		{"driver imports a library", "reception/driver > @golang.org/x/sync", nil},
		{"driver imports the SDK", "reception/driver > reception", nil},
		{"a package below driver imports a library", "reception/driver/x > @golang.org/x/sync", nil},
		{"the SDK imports another library", "reception > @go.uber.org/zap", nil},
		{"the SDK imports mocks", "reception > reception/mock", nil},
		{"the SDK's internals import another library", "reception/internal/x > @go.uber.org/zap", nil},
		{
			"a library of the SDK brings another", "reception > @github.com/google/uuid\n@github.com/google/uuid > @go.uber.org/zap",
			[]string{"reception", "@github.com/google/uuid", "@go.uber.org/zap"},
		},
		{"the fence imports the SDK", "reception/fence > reception", nil},
		{"golang/mock's mocks import uber's runtime", "reception/mock > @go.uber.org/mock", nil},
		{"uber's mocks import golang/mock's runtime", "reception/ubermock > @github.com/golang/mock", nil},
		{"consul imports etcd's client", "backends/consul > @go.etcd.io/etcd/client/v3", nil},
		{"etcd imports Consul's client", "backends/etcd > @github.com/hashicorp/consul/api", nil},
		{"zookeeper imports another adapter", "backends/zookeeper > backends/consul", nil},
		{"a package of an adapter imports another library", "backends/zookeeper/exhibitor > @go.uber.org/zap", nil},
		{"the adapters' common code imports a client", "backends/internal/x > @github.com/go-zookeeper/zk", nil},
		{"backends imports another library", "backends > @go.uber.org/zap", nil},
		{"the fake imports a library", "fake > @go.uber.org/zap", nil},
		{"the fake imports conformance", "fake/internal/x > testkit/conformance", nil},
		{"the suite imports the fake", "testkit/conformance > fake", nil},
		{"the suite's run on the fake imports a library", "testkit/onfake > @go.uber.org/goleak", nil},
		{"the suite imports a library", "testkit/conformance > @go.uber.org/goleak", nil},
		{"the comparison imports the suite", "testkit/differential > testkit/conformance", nil},
		{"the random faults import the fake", "testkit/chaos > fake", nil},
		{"the generator imports the SDK", "gen > reception", nil},
		{
			"the generator's YAML brings a library", "gen > @go.yaml.in/yaml/v3\n@go.yaml.in/yaml/v3 > @go.uber.org/zap",
			[]string{"gen", "@go.yaml.in/yaml/v3", "@go.uber.org/zap"},
		},
		{"the spec imports the generator", "spec > gen", nil},
		{"the kit imports the generator", "testkit/containers > gen", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := synthetic(tt.edges)
			want := tt.want
			if want == nil {
				want = strings.Split(tt.edges, " > ")
			}
			first := g[resolve(want[0])]
			for _, l := range laws {
				if l.of(first) {
					broken[l.text] = true
					expect(t, g, want, l.text)
					return
				}
			}
			t.Errorf("no law governs %s", want[0])
		})
	}
	for _, l := range laws {
		// The tools may import anything, so nothing breaks their law.
		if !broken[l.text] && !l.of(&pkg{ImportPath: root + "/tools/x"}) {
			t.Errorf("no case breaks the law: %s", l.text)
		}
	}
}

// TestProductionLawBites does the same for what production code must not reach.
func TestProductionLawBites(t *testing.T) {
	for _, from := range []string{"reception", "reception/driver", "reception/mock", "reception/ubermock", "backends", "backends/etcd"} {
		for _, to := range []string{"gen", "fake", "testkit/conformance", "testkit/containers", "tools/receptiongen"} {
			expect(t, synthetic(from+" > "+to), []string{from, to}, productionText)
			expect(t, synthetic(from+" > @library\n@library > "+to), []string{from, "@library", to}, productionText)
		}
	}
}

func TestEachPackageNeedsALaw(t *testing.T) {
	expect(t, synthetic("surprise > @go.uber.org/zap"), []string{"surprise"}, "each package is governed by a law in tools/house/laws_test.go")
}

// TestLawsAllow checks that the laws allow what they are meant to allow.
func TestLawsAllow(t *testing.T) {
	g := synthetic(`
		reception/driver > reception/driver/internal/x
		reception > reception/driver
		reception > reception/internal/x
		reception > @golang.org/x/sync
		reception > @github.com/google/uuid
		reception > @github.com/cenkalti/backoff/v5
		reception/mock > reception
		reception/mock > @github.com/golang/mock
		reception/ubermock > reception/driver
		reception/ubermock > @go.uber.org/mock
		backends > backends/etcd
		backends/etcd > reception
		backends/etcd > reception/driver
		backends/etcd > @go.etcd.io/etcd/client/v3
		@go.etcd.io/etcd/client/v3 > @go.uber.org/zap
		fake > reception
		fake > fake/internal/x
		testkit/conformance > reception
		testkit/containers > testkit/conformance
		testkit/containers > backends/etcd
		testkit/containers > @github.com/testcontainers/testcontainers-go
		gen > @go.yaml.in/yaml/v3
		gen > @github.com/aymanbagabas/go-udiff
		tools/receptiongen > gen
		tools/reception > backends`)
	for _, v := range check(g) {
		t.Errorf("%v", v)
	}
}

// expect fails the test unless the violations in g include the given one.
func expect(t *testing.T, g graph, chain []string, law string) {
	t.Helper()
	want := violation{law: law}
	for _, path := range chain {
		want.chain = append(want.chain, resolve(path))
	}
	var got []string
	for _, v := range check(g) {
		if v.String() == want.String() {
			return
		}
		got = append(got, v.String())
	}
	t.Errorf("not reported:\n%v\nreported:\n%s", want, strings.Join(got, "\n"))
}

// synthetic makes a graph out of lines "importer > imported"; resolve says what
// the names stand for.
func synthetic(edges string) graph {
	g := graph{}
	add := func(name string) *pkg {
		path := resolve(name)
		if g[path] == nil {
			module := root
			if external, ok := strings.CutPrefix(name, "@"); ok {
				module = external
			}
			g[path] = &pkg{ImportPath: path, Module: &struct{ Path string }{module}}
		}
		return g[path]
	}
	for line := range strings.Lines(edges) {
		if from, to, ok := strings.Cut(strings.TrimSpace(line), " > "); ok {
			p := add(from)
			p.Imports = append(p.Imports, add(to).ImportPath)
		}
	}
	return g
}

// resolve returns the import path that a name in a synthetic graph stands for:
// @m is a package of module m, anything else a package of the repository.
func resolve(name string) string {
	if module, ok := strings.CutPrefix(name, "@"); ok {
		return module + "/pkg"
	}
	return root + "/" + name
}
