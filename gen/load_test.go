package gen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// validSpecs are all specs of the module that load.
func validSpecs(tb testing.TB) []string {
	tb.Helper()
	specs := []string{filepath.Join(moduleDir, "spec", "reception.yaml")}
	for _, pattern := range []string{"testdata/valid/*.yaml", "testdata/golden/*/spec.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			tb.Fatal("no specs", pattern, err)
		}
		specs = append(specs, found...)
	}
	return specs
}

func TestLoad(t *testing.T) {
	for _, name := range validSpecs(t) {
		t.Run(name, func(t *testing.T) { loadFile(t, name) })
	}
}

// What Load returns needs no further look at the source.
func TestLoadedSpec(t *testing.T) {
	spec := realSpec(t)
	if len(spec.Digest) != digestLength {
		t.Errorf("digest %q", spec.Digest)
	}
	for _, o := range spec.Operations {
		if (o.Watches != nil) != o.Stream {
			t.Errorf("%s: stream %v, watches %v", o.Name, o.Stream, o.Watches)
		}
		if o.Doc == "" || o.Pos.Line == 0 || len(o.Rules) == 0 {
			t.Errorf("%s: incomplete: %+v", o.Name, o)
		}
		for _, r := range o.Rules {
			checkResolved(t, o, r)
		}
	}
}

func checkResolved(t *testing.T, o *Operation, r *Rule) {
	t.Helper()
	for name, p := range map[string]*Path{
		"scope": r.Scope, "key": r.Key, "id": r.ID, "ttl": r.TTL, "token": r.Token, "session": r.Session,
		"owner": r.Owner, "generation": r.Generation, "from": r.From,
	} {
		if stated := r.source.text(name); p.String() != stated {
			t.Errorf("%s, line %d: %s is %q, not %q", o.Name, r.Pos.Line, name, p, stated)
		}
		if p != nil && (len(p.Fields) != len(p.Names) || p.goType() == "") {
			t.Errorf("%s, line %d: %s is not resolved", o.Name, r.Pos.Line, name)
		}
	}
	for result, field := range r.Into {
		if findField(o.Out, field.Name) != field {
			t.Errorf("%s, line %d: %s goes to a field of something else", o.Name, r.Pos.Line, result)
		}
	}
}

// A blank line ends a paragraph, whichever way YAML writes a text; any other line break is a blank.
func TestDocParagraphs(t *testing.T) {
	for name, doc := range map[string]string{
		"plain":         "One\n      two.\n\n      Three.",
		"double quotes": "\"One\n      two.\n\n      Three.\"",
		"single quotes": "'One\n      two.\n\n      Three.'",
		"folded":        ">\n      One\n      two.\n\n      Three.",
		"literal":       "|\n      One\n      two.\n\n\n      Three.",
		"escaped":       `"One two.\nThree."`,
	} {
		t.Run(name, func(t *testing.T) {
			source := strings.Replace(least, "doc: Unavailable.", "doc: "+doc, 1)
			spec, err := Load("spec.yaml", []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := spec.Errors[0].Doc, "One two.\n\nThree."; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// least is about the smallest spec that there can be.
const least = `errors:
  - name: Unavailable
    doc: Unavailable.
    origin: any
    message: unavailable
  - {name: OutcomeUnknown, doc: OutcomeUnknown., origin: any, message: outcome unknown}
  - {name: Closed, doc: Closed., origin: any, message: closed}
  - {name: SessionExpired, doc: SessionExpired., origin: any, message: session expired}
operations:
  - name: OpenSession
    doc: OpenSession opens a session.
    atomic: true
    out: [{name: Session, type: string, doc: The session.}]
    rules: [{open: session, into: {id: Session}}]
`

func TestLoadBounds(t *testing.T) {
	padded := least + strings.Repeat("#", maxSize-len(least))
	if _, err := Load("spec.yaml", []byte(padded)); err != nil {
		t.Errorf("%d bytes: %v", len(padded), err)
	}
	_, err := Load("spec.yaml", []byte(padded+"#"))
	if err == nil || !strings.HasPrefix(err.Error(), "spec.yaml:1:1: the spec has 1048577 bytes") {
		t.Errorf("one byte more: %v", err)
	}
}

// Equal content has an equal digest; any difference in what a spec says gives another one.
func TestDigest(t *testing.T) {
	digestOf := func(t *testing.T, source string) string {
		t.Helper()
		spec, err := Load("spec.yaml", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		return spec.Digest
	}
	file, err := os.ReadFile(filepath.Join(moduleDir, "spec", "reception.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	spec, first := string(file), digestOf(t, string(file))
	for name, c := range map[string]struct {
		source string
		same   bool
	}{
		"comments":       {"# one more\n" + strings.ReplaceAll(spec, "\n  # ---", "\n\n  #"), true},
		"line ends":      {strings.ReplaceAll(spec, "\n", "\r\n"), true},
		"stated default": {strings.Replace(spec, "    atomic: true\n", "    atomic: true\n    kind: unary\n", 1), true},
		"order of keys":  {strings.Replace(spec, "origin: any\n    message: client closed", "message: client closed\n    origin: any", 1), true},
		"quotes":         {strings.Replace(spec, "message: client closed", `message: "client closed"`, 1), true},
		"line breaks":    {strings.Replace(spec, "granted, which may", "granted,\n          which may", 1), true},
		"a doc":          {strings.Replace(spec, "opens a session", "opens some session", 1), false},
		"a trait":        {strings.Replace(spec, "traits: [idempotent]", "", 1), false},
		"a bound":        {strings.Replace(spec, "length: [1, 128]", "length: [1, 127]", 1), false},
		"an input":       {strings.Replace(spec, "of: candidate, scope: Election", "of: candidate, scope:  Election", 1), true},
		"a result":       {strings.Replace(spec, "{good: GoodFor}}", "{good:  GoodFor}}", 1), true},
		"order of errors": {
			strings.Replace(spec, "[InvalidService, Started, Closed]", "[Started, InvalidService, Closed]", 1), false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.source == spec {
				t.Fatal("this changes nothing")
			}
			if got := digestOf(t, c.source); (got == first) != c.same {
				t.Errorf("digests %s and %s", first, got)
			}
		})
	}
}
