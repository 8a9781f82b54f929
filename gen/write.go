package gen

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// A change is what has to happen to one file. A nil content stands for no file.
type change struct {
	path     string // slash-separated, below the module's root
	old, new []byte
}

// Write brings the module at root to what files say: it replaces what differs, one file at a time and each at once, and
// removes generated Go files that are none of them. It returns the paths of what it changed, sorted.
func Write(root string, files map[string][]byte) ([]string, error) {
	changes, err := plan(root, files)
	if err != nil {
		return nil, err
	}
	var changed []string
	for _, c := range changes {
		if err := c.apply(root); err != nil {
			return changed, err
		}
		changed = append(changed, c.path)
	}
	return changed, nil
}

// Check returns, as a unified diff, what Write would do; an empty one if nothing. It changes nothing.
func Check(root string, files map[string][]byte) (string, error) {
	changes, err := plan(root, files)
	if err != nil {
		return "", err
	}
	var diff strings.Builder
	for _, c := range changes {
		diff.WriteString(c.diff())
	}
	return diff.String(), nil
}

// plan finds what differs below root from what files say.
func plan(root string, files map[string][]byte) ([]change, error) {
	var changes []change
	for path, content := range files {
		old, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil || !bytes.Equal(old, content) {
			changes = append(changes, change{path: path, old: old, new: append([]byte{}, content...)})
		}
	}
	orphans, err := orphans(root, files)
	if err != nil {
		return nil, err
	}
	changes = append(changes, orphans...)
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.path, b.path) })
	return changes, nil
}

// orphans finds the Go files that an earlier run has generated and this one does not. Testdata and hidden folders are
// not part of the module.
func orphans(root string, files map[string][]byte) ([]change, error) {
	var found []change
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != root && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".gen.go") && !strings.HasSuffix(name, ".gen_test.go") {
			return nil
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		path := filepath.ToSlash(relative)
		if _, ok := files[path]; ok {
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(content, []byte(Header+"\n")) {
			found = append(found, change{path: path, old: content})
		}
		return nil
	})
	return found, err
}

func (c change) diff() string {
	from, to := "a/"+c.path, "b/"+c.path
	if c.old == nil {
		from = os.DevNull
	}
	if c.new == nil {
		to = os.DevNull
	}
	return udiff.Unified(from, to, string(c.old), string(c.new))
}

// apply makes the change so that nobody ever sees half a file.
func (c change) apply(root string) error {
	name := filepath.Join(root, filepath.FromSlash(c.path))
	if c.new == nil {
		return os.Remove(name)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return replaceFile(name, c.new)
}

func replaceFile(name string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), ".receptiongen-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
