package gen

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "record what the generator makes of testdata/golden, if it compiles")

// fakeHalf is the part of package fake that is written by hand, as far as generated code needs it.
const fakeHalf = `package fake

import (
	"context"

	"github.com/go-reception/sdk/fake/internal/kernel"
	"github.com/go-reception/sdk/reception/driver"
)

type Backend struct{ rules *rules }

func (b *Backend) Name() string { return "" }
func (b *Backend) Close() error { return nil }

var _ driver.Backend = (*Backend)(nil)

func unary[In, Out any](
	context.Context, *Backend, *driver.Operation, *In, func(*kernel.Tx, *tables, *In, *Out) error,
) (*Out, error) {
	return nil, nil
}

func stream[In, R any](
	context.Context, *Backend, *driver.Operation, *In, func(*kernel.Tx, *tables, *In) (driver.Stream[R], error),
) (driver.Stream[R], error) {
	return nil, nil
}

func New(k *kernel.Kernel) (*Backend, *tables) { return &Backend{specRules()}, newTables(k) }
`

// Each folder of testdata/golden has a spec and, in out, what the generator makes of it. What does not compile is not
// recorded.
func TestGolden(t *testing.T) {
	specs, err := filepath.Glob("testdata/golden/*/spec.yaml")
	if err != nil || len(specs) == 0 {
		t.Fatal("no specs", err)
	}
	for _, name := range specs {
		dir := filepath.Dir(name)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			files := render(t, loadFile(t, name))
			delete(files, schemaPath) // the same for every spec
			if output, ok := alone(t, files).vet(t, "./reception/...", "./fake"); !ok {
				t.Fatalf("does not compile:\n%s", output)
			}
			out := filepath.Join(dir, "out")
			if *update {
				record(t, out, files)
			}
			compare(t, out, files)
		})
	}
}

// alone is the module with the generated packages made of these files, and of no more written by hand than these need.
func alone(t *testing.T, files map[string][]byte) overlay {
	t.Helper()
	o := overlay{"fake/golden.go": []byte(fakeHalf)}
	for _, dir := range []string{"reception", "fake"} {
		for path := range walk(t, filepath.Join(moduleDir, dir)) {
			if strings.Contains(path, "/") {
				continue
			}
			o[dir+"/"+path] = nil
		}
	}
	if bytes.Contains(files["reception/validate.gen.go"], []byte("fieldError")) {
		delete(o, "reception/fielderror.go")
		delete(o, "reception/host.go")
	}
	for path := range walk(t, filepath.Join(moduleDir, "reception")) {
		if strings.HasSuffix(path, ".gen.go") || strings.HasSuffix(path, "_test.go") {
			o["reception/"+path] = nil
		}
	}
	maps.Copy(o, files)
	return o
}

func record(t *testing.T, out string, files map[string][]byte) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(out), os.Mkdir(out, 0o755)); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(out, files); err != nil {
		t.Fatal(err)
	}
}

func compare(t *testing.T, out string, files map[string][]byte) {
	t.Helper()
	diff, err := Check(out, files)
	if err != nil || diff != "" {
		t.Errorf("%v\n%s\nIf that is right: go test ./gen -run TestGolden -update", err, diff)
	}
	for path := range walk(t, out) {
		if _, ok := files[path]; !ok {
			t.Errorf("%s is recorded and not generated", path)
		}
	}
}
