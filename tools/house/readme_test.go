package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeShowsWhatIsTested checks that each piece of Go and YAML in README.md stands, word for word, in a file that a
// test compiles or loads, between the comments "README: name" and "README: end"; and that no such piece is missing there.
func TestReadmeShowsWhatIsTested(t *testing.T) {
	tested := testedRegions(t)
	if len(tested) == 0 {
		t.Fatal("no file has a region for the README")
	}
	fence := regexp.MustCompile("(?s)\n```(?:go|yaml)\n(.*?)```\n")
	for _, block := range fence.FindAllStringSubmatch(read(t, "README.md"), -1) {
		where, known := tested[block[1]]
		if !known {
			t.Errorf("README.md shows what no test has:\n%s", block[1])
		}
		t.Logf("shown: %s", where)
		delete(tested, block[1])
	}
	for text, where := range tested {
		t.Errorf("README.md does not show %s:\n%s", where, text)
	}
}

// testedRegions returns the regions for the README, without their common indentation, and where each stands.
func testedRegions(t *testing.T) map[string]string {
	t.Helper()
	region := regexp.MustCompile(`(?s)(?:\A|\n)([\t ]*)(?://|#) README: ([a-z ]+)\n(.*?)\n[\t ]*(?://|#) README: end\n`)
	root := filepath.Join("..", "..")
	regions := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range region.FindAllStringSubmatch(string(text), -1) {
			body := strings.TrimRight(match[3], "\n") + "\n"
			body = regexp.MustCompile("(?m)^"+match[1]).ReplaceAllString(body, "")
			regions[body] = path + ": " + match[2]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return regions
}
