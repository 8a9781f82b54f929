package gen

import (
	"bytes"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What is committed is what the spec gives.
func TestTreeIsUpToDate(t *testing.T) {
	diff, err := Check(moduleDir, render(t, realSpec(t)))
	if err != nil || diff != "" {
		t.Errorf("%v\n%s\nrun: go generate ./...", err, diff)
	}
}

// No order of a map may show in what is rendered.
func TestRenderIsDeterministic(t *testing.T) {
	t.Parallel()
	first := render(t, realSpec(t))
	for range 19 {
		if again := render(t, realSpec(t)); !maps.EqualFunc(first, again, bytes.Equal) {
			t.Fatal("the same spec has given two results")
		}
	}
}

// What is particular to one spec belongs into the spec: neither the generator nor the fake's kernel may know its names.
func TestGeneratorKnowsNoNames(t *testing.T) {
	spec := realSpec(t)
	var names []string
	for _, o := range spec.Operations {
		names = append(names, o.Name, lowerCamel(o.Name, "Rule"))
	}
	for _, r := range spec.Records {
		names = append(names, r.Name, r.GoName())
	}
	word := regexp.MustCompile(`\b(?:Open)?(?:` + strings.Join(names, "|") + `)\b`)
	sources := 0
	for _, dir := range []string{"gen", "fake/internal/kernel"} {
		for name := range walk(t, filepath.Join(moduleDir, dir)) {
			if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "testdata/") {
				continue
			}
			if dir == "gen" && !strings.HasPrefix(name, "render") && !strings.HasPrefix(name, "templates/") {
				continue
			}
			sources++
			content, err := os.ReadFile(filepath.Join(moduleDir, dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for number, line := range strings.Split(string(content), "\n") {
				if found := word.FindString(line); found != "" {
					t.Errorf("%s/%s:%d: %s is a name of the spec: %s", dir, name, number+1, found, strings.TrimSpace(line))
				}
			}
		}
	}
	if sources < 30 {
		t.Errorf("only %d files were looked at", sources)
	}
}

// Every generated file refers to the constant that is named after the spec, so that what comes from different specs
// does not compile together.
func TestHalfRegeneratedTreeDoesNotCompile(t *testing.T) {
	old := render(t, realSpec(t))
	source, err := os.ReadFile(filepath.Join(moduleDir, "spec", "reception.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changed, err := Load("changed", bytes.Replace(source, []byte("Closed says that"), []byte("Closed says here that"), 1))
	if err != nil {
		t.Fatal(err)
	}
	files := render(t, changed)
	digest := (&page{Spec: changed}).Digest()
	if bytes.Contains(old["reception/driver/digest.gen.go"], []byte(digest)) {
		t.Fatal("the digest has not changed with the spec")
	}
	stale := map[string]string{} // one file of each package
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) != ".go" {
			continue
		}
		if !regexp.MustCompile(`(?m)^const (_ = (driver\.)?)?` + digest + `\b`).Match(files[name]) {
			t.Errorf("%s does not refer to the spec's digest", name)
		}
		stale[path.Dir(name)] = name
	}
	for dir, name := range stale {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			half := overlay(maps.Clone(files))
			half[name] = old[name]
			output, ok := half.vet(t, "./"+dir)
			if ok || !strings.Contains(output, path.Base(name)) || !strings.Contains(output, "Digest") {
				t.Errorf("with a stale %s: %s", name, output)
			}
		})
	}
}

// Comments keep to the line width, and to their paragraphs.
func TestCommentFolds(t *testing.T) {
	long := strings.Repeat("word ", 50)
	for indent := range 2 {
		lines := strings.Split(strings.TrimSuffix(comment(indent, long+"\n\nNext."), "\n"), "\n")
		if len(lines) < 4 || strings.TrimSpace(lines[len(lines)-2]) != "//" || !strings.HasSuffix(lines[len(lines)-1], "// Next.") {
			t.Errorf("no second paragraph in %q", lines)
		}
		for _, line := range lines {
			if width := len(strings.ReplaceAll(line, "\t", "    ")); width > 120 {
				t.Errorf("%d columns: %q", width, line)
			}
		}
	}
	if lines := fold(strings.Repeat("x", 200), 50); len(lines) != 1 {
		t.Errorf("a long word was cut: %q", lines)
	}
	if lines := fold(strings.Repeat("é", 50)+" é", 52); len(lines) != 1 {
		t.Errorf("bytes were counted: %q", lines)
	}
}

// Names stay readable, and clear of what Go has taken.
func TestLowerCamel(t *testing.T) {
	for name, want := range map[string]string{
		"A": "a", "Get": "get", "GetLeader": "getLeader", "ID": "id", "TTLOf": "ttlOf", "GetID": "getID", "X2Y": "x2Y",
		"Range": "rangeRule", "Delete": "deleteRule", "Select": "selectRule", "Len": "lenRule", "Error": "errorRule",
	} {
		if got := lowerCamel(name, "Rule"); got != want {
			t.Errorf("lowerCamel(%q) = %q, want %q", name, got, want)
		}
	}
}
