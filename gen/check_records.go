package gen

import (
	"strings"
	"unicode"
)

// sessionExpired is the error of what needs a session and finds it gone.
const sessionExpired = "SessionExpired"

// kernelErrors are the errors that hand-written code raises, whatever the spec's rules say.
var kernelErrors = []string{"Unavailable", "OutcomeUnknown", "Closed", sessionExpired}

// declareErrors makes the errors known by name.
func (c *checker) declareErrors(root *mapping) {
	unique := c.namesOf("error")
	for _, d := range root.items("errors") {
		m := d.mapping
		e := &Error{
			Pos: m.at, Name: m.name, Doc: m.text("doc"), Origin: Origin(m.text("origin")),
			Adapter: m.text("adapter"), Message: m.text("message"),
		}
		unique.add(m.name, m.position("name"))
		if c.errors[m.name] == nil {
			c.errors[m.name] = e
		}
		c.vague[e] = e.Origin == ""
		c.spec.Errors = append(c.spec.Errors, e)
		c.checkMessage(m)
	}
	for _, name := range kernelErrors {
		if e := c.errors[name]; !c.open["errors"] && e == nil {
			c.add(root.position("errors"), "no error %s", quoted(name)).
				expect("it with origin: any; every backend and the fake's kernel raise it")
		} else if e != nil && e.Origin != OriginAny && !c.vague[e] {
			c.add(e.Pos, "error %s is not of origin any", quoted(name)).
				expect("origin: any; every backend and the fake's kernel raise it")
		}
	}
}

// checkMessage notes error messages that read badly behind "operation X: ".
func (c *checker) checkMessage(m *mapping) {
	text := []rune(m.text("message"))
	if len(text) == 0 {
		return
	}
	if last := text[len(text)-1]; strings.ContainsRune(".!?:,;", last) {
		c.add(m.position("message"), "the message ends with %s", quoted(string(last))).
			expect("no punctuation: others wrap it")
	}
	if len(text) > 1 && unicode.IsUpper(text[0]) && unicode.IsLower(text[1]) {
		c.add(m.position("message"), "the message begins with a capital").expect("lower case: others wrap it")
	}
}

// declareRecords makes the records known by name.
func (c *checker) declareRecords(root *mapping) []*mapping {
	var mappings []*mapping
	unique := c.namesOf("record")
	for _, d := range root.items("records") {
		m := d.mapping
		r := &Record{
			Pos: m.at, Name: m.name, Doc: m.text("doc"), Permanent: m.text("lifetime") == wordPermanent, source: m,
		}
		unique.add(m.name, m.position("name"))
		if m.name != "" && c.records[m.name] == nil {
			c.records[m.name] = r
			c.structs[r.GoName()] = r
		}
		c.vague[r] = m.partial("fields")
		c.spec.Records = append(c.spec.Records, r)
		mappings = append(mappings, m)
	}
	return mappings
}

// fillRoles says what the fields of a record are to its backend. It needs all fields to be known.
func (c *checker) fillRoles(r *Record, m *mapping) {
	root := pathRoot{fields: r.Fields, what: m.title(), vague: c.vague[r]}
	taken := map[string]string{}
	for _, role := range roles {
		d := m.entries[role.name]
		path := c.path(root, d)
		if path == nil {
			continue
		}
		*role.of(r) = path
		c.expectType(d, path, m.kind.find(role.name).value.want, nil)
		other, twice := taken[path.String()]
		if twice && (other != "key" || role.name != "session") {
			c.add(d.at, "%s is %s already", quoted(d.text), other).
				expect("a field for each role; only key and session may share one")
		}
		taken[path.String()] = role.name
	}
}

// roles are what fields of a record can be to its backend.
var roles = []struct {
	name string
	of   func(*Record) **Path
}{
	{"scope", func(r *Record) **Path { return &r.Scope }},
	{"key", func(r *Record) **Path { return &r.Key }},
	{"order", func(r *Record) **Path { return &r.Order }},
	{"session", func(r *Record) **Path { return &r.Session }},
	{"owner", func(r *Record) **Path { return &r.Owner }},
	{"generation", func(r *Record) **Path { return &r.Generation }},
}

// sessionType finds the Go type of session ids, which is the same in all records.
func (c *checker) sessionType() {
	var first *Record
	differ := false
	for _, r := range c.spec.Records {
		if r.Session == nil {
			continue
		}
		goType := r.Session.goType()
		if first == nil {
			first, c.session = r, goType
		}
		if goType != c.session {
			c.add(r.Session.Pos, "sessions of type %s", goType).
				expect("%s, as in record %s", c.session, quoted(first.Name))
			differ = true
		}
	}
	if differ {
		c.session = "" // anything based on string will do
	}
}
