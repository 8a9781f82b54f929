package gen

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// added are the methods that testdata/added adds to a backend.
var added = map[string]string{
	"CountServices":     "*driver.CountServicesResponse",
	"UpdateAttributes":  "*driver.UpdateAttributesResponse",
	"PutSetting":        "*driver.PutSettingResponse",
	"GetSetting":        "*driver.GetSettingResponse",
	"ListSettings":      "*driver.ListSettingsResponse",
	"RenameSetting":     "*driver.RenameSettingResponse",
	"OpenWatchSettings": "driver.SettingStream",
}

// Operations and a kind of record are added to the YAML, to nothing else. After a run of the generator the fake's
// methods work, the mocks have them, the conformance suite knows that nobody has tried them, and adapters do not compile
// until they have them.
func TestSpecAloneAddsOperations(t *testing.T) {
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "-trimpath") // so that the compiler's cache serves every copy
	root := copyModule(t)
	addToSpec(t, root)
	old := adapter(t, root)
	if output, ok := command(t, root, "go", "generate", "./..."); !ok {
		t.Fatalf("go generate: %s", output)
	}
	if output, ok := command(t, root, "go", "run", "./tools/receptiongen", "-check", "-v"); !ok || !strings.Contains(output, "up to date") {
		t.Fatalf("after go generate: %s", output)
	}

	put(t, root, "added/fake_test.go", read(t, "testdata/added/fake_test.go"))
	mockTest := string(read(t, "testdata/added/mock/mock_test.go"))
	put(t, root, "added/mock/mock_test.go", []byte(mockTest))
	mockTest = strings.NewReplacer(
		"github.com/golang/mock/gomock", "go.uber.org/mock/gomock",
		"sdk/reception/mock", "sdk/reception/ubermock",
	).Replace(mockTest)
	put(t, root, "added/ubermock/mock_test.go", []byte(mockTest))
	output, ok := command(t, root, "go", "test", "-v", "./added", "./added/mock", "./added/ubermock")
	if passed := strings.Count(output, "--- PASS: TestAdded"); !ok || passed != 7 {
		t.Errorf("%d tests have passed\n%s", passed, output)
	}

	page := string(read(t, filepath.Join(root, "spec", "OPERATIONS.md")))
	for method := range added {
		if name := strings.TrimPrefix(method, "Open"); !strings.Contains(page, "\n### "+name+"\n") {
			t.Errorf("the reference page has no section %s", name)
		}
	}
	missing := missingMethods(t, root, old)
	if want := slices.Sorted(maps.Keys(added)); !slices.Equal(missing, want) {
		t.Errorf("the compiler asks the old adapter for %v, want %v", missing, want)
	}
}

// copyModule copies what the module's packages are made of.
func copyModule(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path := range walk(t, moduleDir) {
		if !strings.Contains(path, "/testdata/") {
			put(t, root, path, read(t, filepath.Join(moduleDir, filepath.FromSlash(path))))
		}
	}
	return root
}

func put(t *testing.T, root, path string, content []byte) {
	t.Helper()
	name := filepath.Join(root, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// addToSpec appends to the sections of the copy's spec.
func addToSpec(t *testing.T, root string) {
	t.Helper()
	spec := read(t, filepath.Join(root, "spec", "reception.yaml"))
	for _, section := range []struct{ name, next string }{
		{"errors", "records"}, {"records", "operations"}, {"operations", "interfaces"},
	} {
		end := []byte("\n" + section.next + ":\n")
		if bytes.Count(spec, end) != 1 {
			t.Fatalf("the spec has no section %s behind %s", section.next, section.name)
		}
		more := read(t, filepath.Join("testdata", "added", section.name+".yaml"))
		spec = bytes.Replace(spec, end, append(more, end...), 1)
	}
	put(t, root, "spec/reception.yaml", spec)
}

// adapter makes an adapter that knows the operations of the present spec, and returns its source.
func adapter(t *testing.T, root string) string {
	t.Helper()
	// The mock of a backend has all of its methods.
	source := string(read(t, filepath.Join(root, "reception", "mock", "backend.gen.go")))
	source = strings.TrimPrefix(source, Header)
	source = strings.Replace(source, "package mock", "package adapter", 1)
	source = regexp.MustCompile(`(?m)^const _ = .*$`).ReplaceAllString(source, "var _ driver.Backend = (*MockBackend)(nil)")
	put(t, root, "added/adapter/adapter.go", []byte(source))
	if output, ok := command(t, root, "go", "vet", "./added/adapter"); !ok {
		t.Fatalf("before the spec has changed: %s", output)
	}
	return source
}

// missingMethods gives the adapter what the compiler asks for until it is content, and says what that was.
func missingMethods(t *testing.T, root, source string) []string {
	t.Helper()
	var missing []string
	for range len(added) + 1 {
		output, ok := command(t, root, "go", "build", "./added/adapter")
		if ok {
			slices.Sort(missing)
			return missing
		}
		_, named, _ := strings.Cut(output, "missing method ")
		method, _, _ := strings.Cut(named, ")")
		if added[method] == "" {
			t.Fatalf("the compiler does not name a new method: %s", output)
		}
		missing = append(missing, method)
		source += fmt.Sprintf("\nfunc (*MockBackend) %s(context.Context, *driver.%sRequest) (%s, error) { panic(0) }\n",
			method, strings.TrimPrefix(method, "Open"), added[method])
		put(t, root, "added/adapter/adapter.go", []byte(source))
	}
	t.Fatalf("after %v there is still one missing", missing)
	return nil
}
