package gen

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tableInPage is a table of the grammar in spec/GRAMMAR.md: a comment names the kind, another one ends the table.
var tableInPage = regexp.MustCompile(`(?s)(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)`)

// The tables of the grammar's page are what the loader goes by, and there is one for each kind of mapping.
func TestGrammarPage(t *testing.T) {
	name := filepath.Join(moduleDir, "spec", "GRAMMAR.md")
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	kinds := allKinds(specKind)
	var missing []string
	for id := range kinds {
		missing = append(missing, id)
	}
	updated := tableInPage.ReplaceAllStringFunc(string(page), func(found string) string {
		parts := tableInPage.FindStringSubmatch(found)
		i := slices.Index(missing, parts[2])
		if i < 0 {
			t.Errorf("%s is there twice, or no kind of mapping", parts[2])
			return found
		}
		missing = slices.Delete(missing, i, i+1)
		return parts[1] + table(kinds[parts[2]]) + parts[3]
	})
	if len(missing) > 0 {
		t.Errorf("no table of %s", enumerated(missing))
	}
	if *update {
		if err := os.WriteFile(name, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if updated != string(page) {
		t.Error("spec/GRAMMAR.md is not up to date: go test ./gen -run TestGrammarPage -update")
	}
}

// The examples of the grammar's page are what they seem to be.
func TestGrammarExamples(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(moduleDir, "spec", "GRAMMAR.md"))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := os.ReadFile(filepath.Join(moduleDir, "spec", "reception.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// Examples stand in a section of the spec, which the comment in front of them names.
	examples := regexp.MustCompile("(?s)<!-- example: ([a-z]+) -->\n```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(examples) < 4 {
		t.Fatalf("%d examples", len(examples))
	}
	extended := string(spec)
	for _, example := range examples {
		section := "\n" + example[1] + ":\n"
		if !strings.Contains(extended, section) {
			t.Fatalf("no section %s", example[1])
		}
		extended = strings.Replace(extended, section, section+indent(example[2]), 1)
	}
	if _, err := Load("spec.yaml", []byte(extended)); err != nil {
		t.Error(err)
	}
}

func indent(text string) string {
	return regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(text, "  $1")
}

// allKinds finds the kinds of mapping that a kind leads to, by identifier.
func allKinds(root *kind) map[string]*kind {
	all := map[string]*kind{}
	var add func(k *kind)
	add = func(k *kind) {
		if all[k.identifier()] != nil {
			return
		}
		all[k.identifier()] = k
		for _, e := range k.keys {
			v := &e.value
			if v.items != nil {
				v = v.items
			}
			for _, inner := range v.kinds {
				add(inner)
			}
		}
	}
	add(root)
	return all
}

// table writes the keys of a kind, and its results if it is a rule, as Markdown.
func table(k *kind) string {
	var b strings.Builder
	if k.rule != nil {
		b.WriteString("**`" + strings.TrimPrefix(k.name, "rule ") + "`** ")
	}
	b.WriteString(k.doc + "\n\n| Key | Value | |\n|---|---|---|\n")
	for _, e := range k.keys {
		name := "`" + e.name + "`"
		if e.required && e.when.key == "" {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s%s |\n", name, e.value.words(k), e.doc, proviso(k, &e))
	}
	if k.rule == nil || len(k.rule.results) == 0 {
		return b.String()
	}
	b.WriteString("\n| Result | Type | |\n|---|---|---|\n")
	for _, r := range k.rule.results {
		name := "`" + r.name + "`"
		if r.required {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, r.want.words(), r.doc)
	}
	return b.String()
}

// proviso says when a key may be there.
func proviso(k *kind, e *key) string {
	said := ""
	if e.when.key != "" {
		verb := "Only with"
		if e.required {
			verb = "Required with, and only with,"
		}
		said += fmt.Sprintf(" %s `%s: %s`.", verb, e.when.key, e.when.is)
	}
	for _, group := range k.one {
		if slices.Contains(group, e.name) {
			said += " One of " + enumerated(codeAll(group)) + "."
		}
	}
	for _, group := range k.most {
		if slices.Contains(group, e.name) {
			said += " Not both " + strings.Join(codeAll(group), " and ") + "."
		}
	}
	return said
}

func codeAll(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = "`" + name + "`"
	}
	return all
}

// words says what a value looks like.
func (v *value) words(of *kind) string {
	switch v.shape {
	case shapeWord:
		return enumerated(codeAll(v.choices))
	case shapeList:
		return "list: " + v.items.words(of)
	case shapeObject:
		var names []string
		for _, k := range v.kinds {
			name, _, _ := strings.Cut(k.name, ":")
			if k.rule != nil {
				name = "rule"
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return enumerated(names)
	case shapePath:
		if of.rule == nil {
			return "path in the record: " + v.want.words()
		}
		return "path in the request: " + v.want.words()
	}
	words, ok := map[shape]string{
		shapeText: "text", shapeDoc: "paragraphs", shapeFlag: "`true`", shapeBool: "`true` or `false`",
		shapeBounds: "`[min, max]`", shapeExported: "`GoodName`", shapeLower: "`goodName`", shapeTag: "name or `-`",
		shapeType: "Go type", shapeTypeName: "type", shapeField: "field", shapeError: "error", shapeOutcome: "`ok` or error",
		shapeRecord: "record", shapePaths: "`{path in the record: path in the request}`", shapeResults: "`{result: field}`",
	}[v.shape]
	if !ok {
		panic(fmt.Sprint("a shape without words: ", v.shape))
	}
	return words
}

func (w want) words() string {
	words, ok := map[want]string{
		wantString: "`string`, or a type on top of it", wantSession: "the type of session ids", wantUint64: "`uint64`",
		wantDuration: "`time.Duration`", wantScope: "the type of the record's scope", wantKey: "the type of the record's key",
		wantOwner: "the type of the record's owner", wantRecord: "the record", wantPointer: "`*Record`",
		wantPointers: "`[]*Record`", wantStrings: "`[]string`", wantInt: "`int`", wantBool: "`bool`",
	}[w]
	if !ok {
		panic(fmt.Sprint("a want without words: ", int(w)))
	}
	return words
}

// The grammar is complete: each entry has a shape and a doc, and each verb is held against what is observable.
func TestGrammarKinds(t *testing.T) {
	ids := map[string]bool{}
	verbs := map[Verb]bool{}
	for id, k := range allKinds(specKind) {
		if ids[id] || k.doc == "" {
			t.Errorf("%s is there twice, or has no doc", id)
		}
		ids[id] = true
		for _, e := range k.keys {
			if e.doc == "" || e.value.shape == 0 {
				t.Errorf("%s.%s is incomplete", id, e.name)
			}
			if e.when.key != "" && k.find(e.when.key) == nil {
				t.Errorf("%s.%s depends on nothing", id, e.name)
			}
		}
		if k.rule != nil {
			verbs[k.rule.verb] = true
		}
	}
	for verb := range observers {
		if !verbs[verb] {
			t.Errorf("no rule for %s", verb)
		}
	}
	if len(verbs) != len(observers) {
		t.Errorf("%d verbs, %d observers", len(verbs), len(observers))
	}
}
