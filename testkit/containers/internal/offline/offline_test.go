package offline

import (
	"regexp"
	"testing"
)

func TestRef(t *testing.T) {
	form := regexp.MustCompile(`^reception-offline/[a-z]+:[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for _, recipe := range Recipes() {
		ref := recipe.Ref()
		if !form.MatchString(ref) || seen[ref] {
			t.Errorf("%s: Ref() = %q, want something like %s, and each once", recipe.Name, ref, form)
		}
		seen[ref] = true
		if again := recipe.Ref(); again != ref {
			t.Errorf("%s: Ref() = %q, then %q", recipe.Name, ref, again)
		}
	}
}

func TestRefCoversEverythingThatDecides(t *testing.T) {
	base := Recipe{Name: "x", inputs: []string{"a", "b"}, changes: []string{"c"}}
	for name, other := range map[string]Recipe{
		"an input":           {Name: "x", inputs: []string{"a", "B"}, changes: []string{"c"}},
		"an input more":      {Name: "x", inputs: []string{"a", "b", "b"}, changes: []string{"c"}},
		"inputs cut apart":   {Name: "x", inputs: []string{"ab", ""}, changes: []string{"c"}},
		"the configuration":  {Name: "x", inputs: []string{"a", "b"}, changes: []string{"d"}},
		"a change, an input": {Name: "x", inputs: []string{"b"}, changes: []string{"c", "a"}},
	} {
		if other.Ref() == base.Ref() {
			t.Errorf("%s: Ref() is the same", name)
		}
	}
}

func TestPathsAreMovedToUsr(t *testing.T) {
	for name, want := range map[string]string{
		"./lib/x86_64-linux-gnu/libc.so.6": "usr/lib/x86_64-linux-gnu/libc.so.6",
		"./lib/":                           "usr/lib/",
		"./bin/sh":                         "usr/bin/sh",
		"./lib64/ld.so":                    "usr/lib64/ld.so",
		"./usr/lib/jvm":                    "usr/lib/jvm",
		"./library/x":                      "library/x",
		"../../etc/passwd":                 "etc/passwd",
	} {
		if got := merged(name); got != want {
			t.Errorf("merged(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestProgramsAreEmbeddedWithoutTests(t *testing.T) {
	for _, program := range []string{"consul", "zookeeper", "partition"} {
		files := programFiles(program)
		for _, name := range files {
			if regexp.MustCompile(`_test\.go$`).MatchString(name) {
				t.Errorf("%s: a test is part of the program: %s", program, name)
			}
		}
	}
}
