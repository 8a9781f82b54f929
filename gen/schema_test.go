package gen

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compiledSchema(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		tb.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("reception.schema.json", document); err != nil {
		tb.Fatal(err)
	}
	compiled, err := compiler.Compile("reception.schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	return compiled
}

// asJSON is what an editor sees of a spec.
func asJSON(tb testing.TB, name string) (document any, err error) {
	tb.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	err = yaml.Unmarshal(source, &document)
	return document, err
}

func TestSchemaAcceptsValidSpecs(t *testing.T) {
	schema := compiledSchema(t)
	for _, name := range validSpecs(t) {
		document, err := asJSON(t, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What can be seen without knowing names, the schema refuses. Only whole files count: one mistake of that sort makes
// the schema refuse the file.
func TestSchemaRefusesInvalidSpecs(t *testing.T) {
	schema := compiledSchema(t)
	// These messages speak of what a schema can see.
	visible := []string{
		"unknown key", "unknown verb", " lacks ", " has no value", "is empty", " with both ", " says nothing without ",
		" does not go with this ", "is text, and this", "is a list, and this", "is a mapping, and this", "is true or false, and this",
		"unknown thing to", "unknown mode", "unknown origin", "unknown kind", "unknown trait", "unknown base", "unknown format",
		"unknown package \"receptoin", " does not do as ", "what leaving it out says", "no plain whole number", "unknown result",
	}
	refused := 0
	for _, name := range invalidSpecs(t) {
		golden, err := os.ReadFile(strings.TrimSuffix(name, ".yaml") + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		document, err := asJSON(t, name)
		if err != nil {
			continue // no editor gets that far
		}
		if want := containsAny(string(golden), visible); want && schema.Validate(document) == nil {
			t.Errorf("%s is accepted", filepath.Base(name))
		} else if want {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d specs are refused", refused)
	}
}

func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// The schema can be told to an editor in a comment, which has to name the file that the generator writes.
func TestSpecNamesItsSchema(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(moduleDir, "spec", "reception.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := "# yaml-language-server: $schema=" + filepath.Base(schemaPath) + "\n"
	if !strings.HasPrefix(string(source), want) {
		t.Errorf("the spec does not start with %q", want)
	}
}
