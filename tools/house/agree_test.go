package house

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workspace returns the folders of go.work's modules, relative to the root.
func workspace(t *testing.T) []string {
	t.Helper()
	file := filepath.Join("..", "..", "go.work")
	out, err := exec.CommandContext(t.Context(), "go", "work", "edit", "-json", file).Output()
	if err != nil {
		t.Fatalf("reading go.work: %v", err)
	}
	var work struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal(out, &work); err != nil {
		t.Fatalf("reading go.work: %v", err)
	}
	var dirs []string
	for _, use := range work.Use {
		dirs = append(dirs, path.Clean(use.DiskPath))
	}
	return dirs
}

// read returns the text of a file, its path relative to the root.
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWorkspaceModules(t *testing.T) {
	read(t, "go.work") // a cached result is then as old as the file, at most
	dirs := workspace(t)
	for _, dir := range dirs {
		want := "module " + path.Join(root, dir) + "\n"
		if got := read(t, filepath.Join(dir, "go.mod")); !strings.HasPrefix(got, want) {
			t.Errorf("%s/go.mod does not begin with %q", dir, want)
		}
	}

	var taskfile struct {
		Vars struct {
			Modules []string `yaml:"MODULES"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "Taskfile.yml")), &taskfile); err != nil {
		t.Fatal(err)
	}
	tasks := taskfile.Vars.Modules
	for i := range tasks {
		tasks[i] = path.Clean(tasks[i])
	}
	if !slices.Equal(tasks, dirs) {
		t.Errorf("MODULES of Taskfile.yml is %q, go.work uses %q", tasks, dirs)
	}
}

// TestGateRunsTheReadmesTests checks that the command by which the README tells
// people to test is the one by which the gate does.
func TestGateRunsTheReadmesTests(t *testing.T) {
	readme := regexp.MustCompile(`(?m)^go tool task test(?:\s+#.*)?$`)
	if !readme.MatchString(read(t, "README.md")) {
		t.Errorf("README.md has no line that matches %v", readme)
	}
	gate := regexp.MustCompile(`(?m)^run go tool task test$`)
	if !gate.MatchString(read(t, ".ci/run")) {
		t.Errorf(".ci/run has no line that matches %v", gate)
	}
}
