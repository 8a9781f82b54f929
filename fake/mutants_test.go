package fake_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/testkit/onfake"
)

// TestMutants plays the suite on clusters of which one rule says something else than the specification, and expects it
// to notice. A mutant that means the same, or that no caller can tell from the rule, is listed with the reason in
// testdata/survivors.txt; one that is listed there and is noticed after all does not belong there.
func TestMutants(t *testing.T) {
	survivors := survivors(t)
	for i, name := range fake.Mutants() {
		reason, expected := survivors[name]
		delete(survivors, name)
		t.Run(strings.NewReplacer(" ", "-", "/", "-").Replace(name), func(t *testing.T) {
			t.Parallel()
			killed := killed(t, i)
			switch {
			case killed && expected:
				t.Errorf("it is noticed, although listed as a survivor because %s", reason)
			case !killed && !expected:
				t.Error("no case notices it")
			}
		})
	}
	for name := range survivors {
		t.Errorf("testdata/survivors.txt lists a mutant that there is not: %s", name)
	}
}

// killed plays the suite on a mutant, on one kind of cluster after the other, until a case has failed.
func killed(t *testing.T, i int) bool {
	t.Helper()
	for _, name := range []string{"prompt", "settling"} {
		setup := setups()[name]
		setup.New = func(options ...fake.ClusterOption) *fake.Cluster { return fake.NewMutant(i, options...) }
		dead := false
		t.Run(name, func(t *testing.T) { dead = len(onfake.Variant(t, setup.Bubble()).Failed) > 0 })
		if dead {
			return true
		}
	}
	return false
}

// survivors reads the list of those that are expected to survive, with the reasons.
func survivors(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("testdata/survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	list := make(map[string]string)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, found := strings.Cut(line, " | ")
		if !found {
			t.Fatalf("a survivor without a reason: %s", line)
		}
		list[strings.TrimSpace(name)] = strings.TrimSpace(reason)
	}
	return list
}
