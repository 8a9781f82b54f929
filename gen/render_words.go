package gen

import (
	"fmt"
	"strings"
)

// words says in English what a rule does.
func words(r *Rule) string { return ruleWords[r.Verb](r) + returned(r) + "." }

var ruleWords = map[Verb]func(*Rule) string{
	VerbOpen: func(r *Rule) string {
		if r.TTL == nil {
			return "Opens a session"
		}
		return "Opens a session that lives for " + code(r.TTL)
	},
	VerbRenew: func(r *Rule) string {
		return "Renews the session " + code(r.ID) + "; " + fails(r.Else) + " if it is gone"
	},
	VerbClose: func(r *Rule) string {
		return "Ends the session " + code(r.ID) + " and removes what lives on it; " + outcome("one that is gone", r.Missing)
	},
	VerbRequireLive: func(r *Rule) string {
		return upperFirst(fails(r.Else)) + " unless the session " + code(r.ID) + " is alive"
	},
	VerbRequireTerm: func(r *Rule) string {
		return fmt.Sprintf("%s unless %s is the first in the order of creation, at the place %s",
			upperFirst(fails(r.Else)), subject(r), code(r.Token))
	},
	VerbRequireOwner: func(r *Rule) string {
		return fmt.Sprintf("%s unless %s is %s; %s", upperFirst(fails(r.Else)), subject(r), owned(r), outcome("an absent one", r.Absent))
	},
	VerbRequireAbsent: func(r *Rule) string {
		return upperFirst(fails(r.Else)) + " if there is " + subject(r)
	},
	VerbPut:    putWords,
	VerbUpdate: updateWords,
	VerbDelete: func(r *Rule) string {
		return "Removes " + subject(r) + conditionWords(r)
	},
	VerbGet: func(r *Rule) string {
		return "Reads " + subject(r) + "; " + outcome("an absent one", r.Missing)
	},
	VerbList: func(r *Rule) string {
		return fmt.Sprintf("Reads every %s of %s, in the order of creation", r.Record.Name, code(r.Scope))
	},
	VerbNames: func(r *Rule) string {
		return fmt.Sprintf("Reads the %s of every %s, sorted, each once", code(r.Record.Scope), r.Record.Name)
	},
	VerbCount: func(r *Rule) string {
		return fmt.Sprintf("Counts every %s of %s", r.Record.Name, code(r.Scope))
	},
	VerbHead: func(r *Rule) string {
		return fmt.Sprintf("Reads the first %s of %s in the order of creation; %s",
			r.Record.Name, code(r.Scope), outcome("if there is none, it", r.Missing))
	},
	VerbAwait: func(r *Rule) string {
		return "Waits until " + subject(r) + " is the first in the order of creation; " + outcome("an absent one", r.Missing)
	},
	VerbWatch: func(r *Rule) string {
		what := fmt.Sprintf("every %s of %s", r.Record.Name, code(r.Scope))
		switch {
		case r.Key != nil:
			what = subject(r)
		case r.Head:
			what = fmt.Sprintf("the first %s of %s in the order of creation", r.Record.Name, code(r.Scope))
		}
		return "Streams " + what + ": what is there, then what changes"
	},
}

func putWords(r *Rule) string {
	what := "a new " + r.Record.Name + " with " + assignments(r.Set)
	if r.From != nil {
		what = "the " + r.Record.Name + " " + code(r.From)
	}
	if r.Session != nil {
		what += " on the session " + code(r.Session)
	}
	switch r.Mode {
	case ModeCreate:
		if r.Exists.Error == nil {
			return "Stores " + what + " at the end of the order, unless there is one already"
		}
		return "Stores " + what + " at the end of the order; " + outcome("one that is there already", r.Exists)
	case ModeInPlace:
		return "Stores " + what + ", in the place of one that is there already, else at the end of the order"
	}
	return "Stores " + what + ", in the place of one of the same owner, or instead of anybody else's at the end of the order"
}

func updateWords(r *Rule) string {
	return fmt.Sprintf("Changes %s to have %s%s", subject(r), assignments(r.Set), conditionWords(r))
}

// conditionWords says whose record a rule touches, and what happens if there is none that it may touch.
func conditionWords(r *Rule) string {
	missing, foreign := r.outcomes()
	if r.Owner == nil {
		return "; " + outcome("an absent one", r.Missing)
	}
	if missing == foreign {
		return " if it is " + owned(r) + "; " + outcome("any other, or none,", r.Missing)
	}
	return " if it is " + owned(r) + "; " + outcome("an absent one", r.Missing) + ", " +
		outcome("any other", Outcome{OK: foreign == nil, Error: foreign})
}

func owned(r *Rule) string {
	if r.Generation == nil {
		return code(r.Owner) + "'s"
	}
	return code(r.Owner) + "'s, of a generation up to " + code(r.Generation)
}

// subject is the record that a rule is about.
func subject(r *Rule) string {
	return fmt.Sprintf("the %s %s of %s", r.Record.Name, code(r.Key), code(r.Scope))
}

func assignments(set []Assignment) string {
	parts := make([]string, len(set))
	for i, a := range set {
		parts[i] = fmt.Sprintf("%s from %s", strings.Join(a.To.Names, "."), code(a.From))
	}
	return strings.Join(parts, ", ")
}

func outcome(of string, o Outcome) string {
	if o.Error != nil {
		return of + " " + fails(o.Error)
	}
	return of + " is no error"
}

func fails(e *Error) string { return "fails with `" + e.Sentinel() + "`" }

func code(p *Path) string { return "`" + strings.Join(p.Names, ".") + "`" }

// results are what rules may give to a response, in the order in which the page names them.
var resultWords = []struct{ name, words string }{
	{"id", "its ID"},
	{"ttl", "how long it lives"},
	{"every", "how often to renew it"},
	{"settle", "the age at which a renewal counts"},
	{"good", "how long that is good for"},
	{"displaced", "the owner that was displaced"},
	{"order", "the place in the order"},
	{"deleted", "whether there was one"},
	{"record", "it"},
	{"records", "them"},
	{"names", "them"},
	{"count", "the number"},
	{"revision", "the revision"},
}

// returned says what a rule gives to the response.
func returned(r *Rule) string {
	var parts []string
	for _, result := range resultWords {
		if field := r.Into[result.name]; field != nil {
			parts = append(parts, result.words+" as `"+field.Name+"`")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "; returns " + strings.Join(parts, ", ")
}

// role says what a field of a record is to the backend; nothing for one that it only stores.
func role(r *Record, field string) string {
	var roles []string
	for _, role := range []struct {
		name string
		path *Path
	}{
		{"scope", r.Scope},
		{"key", r.Key},
		{"order", r.Order},
		{"session", r.Session},
		{"owner", r.Owner},
		{"generation", r.Generation},
	} {
		if role.path == nil || role.path.Names[0] != field {
			continue
		}
		name := role.name
		if len(role.path.Names) > 1 {
			name += " (" + strings.Join(role.path.Names[1:], ".") + ")"
		}
		roles = append(roles, name)
	}
	return strings.Join(roles, ", ")
}

// traits says in a line what kind of operation it is.
func traits(o *Operation) string {
	parts := []string{"Writes"}
	if o.Readonly {
		parts[0] = "Reads"
	}
	if o.Blocking {
		parts = append(parts, "may wait")
	}
	if o.Idempotent {
		parts = append(parts, "repeatable")
	}
	if o.Atomic {
		parts = append(parts, "in one go")
	}
	line := strings.Join(parts, ", ") + "."
	if len(o.Errors) > 0 {
		line += " Declares " + sentinels(o.Errors) + "."
	}
	return line
}

// sentinels lists errors as code.
func sentinels(errors []*Error) string {
	names := make([]string, len(errors))
	for i, e := range errors {
		names[i] = "`" + e.Sentinel() + "`"
	}
	return strings.Join(names, ", ")
}

// markdown is doc as paragraphs, folded.
func markdown(doc string) string {
	var folded []string
	for _, paragraph := range paragraphs(doc) {
		folded = append(folded, strings.Join(fold(paragraph, lineWidth), "\n"))
	}
	return strings.Join(folded, "\n\n")
}

// item is an item of a numbered list, folded; the first one has the index 0.
func item(index int, text string) string {
	number := fmt.Sprintf("%d. ", index+1)
	return number + strings.Join(fold(text, lineWidth-len(number)), "\n"+strings.Repeat(" ", len(number)))
}

// cell is doc as the cell of a table.
func cell(doc string) string {
	return strings.ReplaceAll(strings.Join(paragraphs(doc), "<br>"), "|", `\|`)
}
