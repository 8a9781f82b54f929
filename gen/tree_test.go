package gen

import (
	"encoding/json"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// moduleDir is the module's root, seen from this package.
const moduleDir = ".."

// realSpec is the spec of this module.
func realSpec(tb testing.TB) *Spec {
	tb.Helper()
	return loadFile(tb, filepath.Join(moduleDir, "spec", "reception.yaml"))
}

func loadFile(tb testing.TB, name string) *Spec {
	tb.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	spec, err := Load(name, source)
	if err != nil {
		tb.Fatal(err)
	}
	return spec
}

func render(tb testing.TB, spec *Spec) map[string][]byte {
	tb.Helper()
	files, err := Render(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

// walk yields the slash-separated paths of the files below root, hidden folders aside.
func walk(tb testing.TB, root string) iter.Seq[string] {
	tb.Helper()
	return func(yield func(string) bool) {
		err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && name != root && strings.HasPrefix(entry.Name(), "."):
				return fs.SkipDir
			case entry.IsDir():
				return nil
			}
			relative, err := filepath.Rel(root, name)
			if err == nil && !yield(filepath.ToSlash(relative)) {
				return fs.SkipAll
			}
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// An overlay is the module as the compiler shall see it where it differs from what is on the disk: content by path, nil
// for a file that is not there.
type overlay map[string][]byte

// vet compiles packages of the module below the overlay, without the network, and returns what the compiler says.
func (o overlay) vet(tb testing.TB, packages ...string) (output string, ok bool) {
	tb.Helper()
	dir, replace := tb.TempDir(), map[string]string{}
	for path, content := range o {
		name := filepath.Join(absolute(tb, moduleDir), filepath.FromSlash(path))
		if content == nil {
			replace[name] = ""
			continue
		}
		replace[name] = filepath.Join(dir, strings.ReplaceAll(path, "/", "+"))
		if err := os.WriteFile(replace[name], content, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		tb.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, list, 0o600); err != nil {
		tb.Fatal(err)
	}
	return command(tb, moduleDir, append([]string{"go", "vet", "-overlay=" + name}, packages...)...)
}

// command runs a program in dir, offline, and returns what it prints.
func command(tb testing.TB, dir string, arguments ...string) (output string, ok bool) {
	tb.Helper()
	c := exec.CommandContext(tb.Context(), arguments[0], arguments[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOPROXY=off")
	out, err := c.CombinedOutput()
	return string(out), err == nil
}

func absolute(tb testing.TB, path string) string {
	tb.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		tb.Fatal(err)
	}
	return path
}
