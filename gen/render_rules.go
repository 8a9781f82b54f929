package gen

import (
	"fmt"
	"regexp"
	"strings"
)

// A meaning is the function that carries out an operation's rules on the fake's kernel. Parameters that no rule needs
// have no name.
type meaning struct {
	Operation           *Operation
	Name                string
	Comment             string
	Tx, Tables, In, Out string
	Body                string
}

// meaningOf writes an operation's rules as Go code, one after the other.
func meaningOf(o *Operation) meaning {
	w := &ruleWriter{operation: o, name: allocator(), variables: map[string]string{}}
	for i, r := range o.Rules {
		if i > 0 && !o.Atomic {
			w.printf("if err := tx.Step(); err != nil {\n%s\n}", w.fails("err"))
		}
		ruleWriters[r.Verb](w, r)
	}
	if !o.Stream && !w.returned {
		w.printf("return nil")
	}
	body := strings.Join(w.statements, "\n")
	named := func(name string) string {
		if regexp.MustCompile(`\b` + name + `\b[.,)]`).MatchString(body) {
			return name
		}
		return "_"
	}
	name := lowerCamel(o.Name, "Rule")
	return meaning{
		Operation: o, Name: name, Comment: renamed(o.Doc, o.Name, name),
		Tx: named("tx"), Tables: named("t"), In: named("in"), Out: named("out"),
		Body: body,
	}
}

// A ruleWriter writes one operation's rules. The code finds tx, t, in and, unless it opens a stream, out.
type ruleWriter struct {
	operation  *Operation
	statements []string
	name       func(string) string // allocates names for the function's variables
	variables  map[string]string   // variables by the expression that they have the value of
	returned   bool                // the last statement returns
}

var ruleWriters = map[Verb]func(*ruleWriter, *Rule){
	VerbOpen:          (*ruleWriter).open,
	VerbRenew:         (*ruleWriter).renew,
	VerbClose:         (*ruleWriter).end,
	VerbRequireLive:   (*ruleWriter).requireLive,
	VerbRequireTerm:   (*ruleWriter).requireTerm,
	VerbRequireOwner:  (*ruleWriter).requireOwner,
	VerbRequireAbsent: (*ruleWriter).requireAbsent,
	VerbPut:           (*ruleWriter).put,
	VerbUpdate:        (*ruleWriter).update,
	VerbDelete:        (*ruleWriter).remove,
	VerbGet:           (*ruleWriter).get,
	VerbList:          (*ruleWriter).list,
	VerbNames:         (*ruleWriter).names,
	VerbCount:         (*ruleWriter).count,
	VerbHead:          (*ruleWriter).head,
	VerbAwait:         (*ruleWriter).await,
	VerbWatch:         (*ruleWriter).watch,
}

func (w *ruleWriter) open(r *Rule) {
	session := w.name("session")
	ttl := "0" // the backend's default
	if r.TTL != nil {
		ttl = w.input(r.TTL, "time.Duration")
	}
	w.printf("%s := tx.Open(%s)", session, ttl)
	w.bind(r, "id", session+".ID", "string")
	w.bind(r, "ttl", session+".TTL", "")
	w.bind(r, "every", session+".Every", "")
	w.bind(r, "settle", session+".Settle", "")
}

func (w *ruleWriter) renew(r *Rule) {
	renew := "tx.Renew(" + w.input(r.ID, "string") + ")"
	if r.Into["good"] == nil {
		w.when("_, ok := "+renew+"; !ok", r.Else)
		return
	}
	good := w.name("good")
	w.printf("%s, ok := %s", good, renew)
	w.unless("ok", r.Else)
	w.bind(r, "good", good, "")
}

func (w *ruleWriter) end(r *Rule) {
	end := "tx.End(" + w.input(r.ID, "string") + ")"
	if r.Missing.Error == nil {
		w.printf("%s", end)
		return
	}
	w.unless(end, r.Missing.Error)
}

func (w *ruleWriter) requireLive(r *Rule) {
	w.unless("tx.Live("+w.input(r.ID, "string")+")", r.Else)
}

func (w *ruleWriter) requireTerm(r *Rule) {
	w.unless(w.on(r, "Leads", w.at(r), w.input(r.Token, "uint64")), r.Else)
}

func (w *ruleWriter) requireOwner(r *Rule) {
	w.outcomes(w.onOwned(r, "Match"), r.Absent.Error, r.Else)
}

func (w *ruleWriter) requireAbsent(r *Rule) {
	w.when(w.onOwned(r, "Match")+" != kernel.Absent", r.Else)
}

func (w *ruleWriter) put(r *Rule) {
	record := w.record(r)
	session := `""`
	if r.Session != nil {
		session = w.input(r.Session, "string")
	}
	call := w.on(r, "Put", record, putModes[r.Mode], session)
	if len(r.Into) == 0 && r.Exists.Error == nil {
		if w.isLast(r) {
			w.printf("_, err := %s\nreturn err", call)
			w.returned = true
			return
		}
		w.printf("if _, err := %s; err != nil {\n%s\n}", call, w.fails("err"))
		return
	}
	put := w.name("put")
	w.printf("%s, err := %s", put, call)
	w.printf("if err != nil {\n%s\n}", w.fails("err"))
	if r.Exists.Error != nil {
		w.when(put+".Existed", r.Exists.Error)
	}
	w.bind(r, "displaced", put+".Displaced", "string")
	w.bind(r, "order", put+".Order", "uint64")
	w.bind(r, "revision", put+".Revision", "")
}

var putModes = map[Mode]string{
	ModeCreate:   "kernel.Create",
	ModeInPlace:  "kernel.InPlace",
	ModeTakeOver: "kernel.TakeOver",
}

func (w *ruleWriter) update(r *Rule) {
	var change strings.Builder
	for _, a := range r.Set {
		to := storedType(a.To.last().Type)
		fmt.Fprintf(&change, "r.%s = %s\n", strings.Join(a.To.Names, "."), w.input(a.From, to))
	}
	call := w.onOwned(r, "Update", fmt.Sprintf("func(r *driver.%s) {\n%s}", r.Record.GoName(), &change))
	missing, foreign := r.outcomes()
	if len(r.Into) == 0 && missing == nil && foreign == nil {
		w.printf("%s", call)
		return
	}
	update := w.name("update")
	w.printf("%s := %s", update, call)
	w.outcomes(update+".Match", missing, foreign)
	w.bind(r, "record", update+".Record", "")
	w.bind(r, "revision", update+".Revision", "")
}

func (w *ruleWriter) remove(r *Rule) {
	call := w.onOwned(r, "Delete")
	missing, foreign := r.outcomes()
	switch deleted := r.Into["deleted"]; {
	case deleted != nil && missing == nil && foreign == nil:
		w.bind(r, "deleted", call+" == kernel.Own", "")
	case missing == nil && foreign == nil:
		w.printf("%s", call)
	case deleted == nil:
		w.outcomes(call, missing, foreign)
	default:
		match := w.name("match")
		w.printf("%s := %s", match, call)
		w.outcomes(match, missing, foreign)
		w.bind(r, "deleted", match+" == kernel.Own", "")
	}
}

func (w *ruleWriter) get(r *Rule) { w.find(r, w.on(r, "Get", w.at(r))) }

func (w *ruleWriter) head(r *Rule) { w.find(r, w.on(r, "Head", w.input(r.Scope, "string"))) }

// find binds a record that may be missing.
func (w *ruleWriter) find(r *Rule, call string) {
	w.bind(r, "record", call, "")
	if r.Missing.Error != nil {
		w.when("out."+r.Into["record"].Name+" == nil", r.Missing.Error)
	}
}

func (w *ruleWriter) list(r *Rule) {
	w.bind(r, "records", w.on(r, "List", w.input(r.Scope, "string")), "")
	w.bind(r, "revision", "tx.Revision()", "")
}

func (w *ruleWriter) names(r *Rule) { w.bind(r, "names", w.on(r, "Names"), "") }

func (w *ruleWriter) count(r *Rule) {
	w.bind(r, "count", w.on(r, "Count", w.input(r.Scope, "string")), "")
}

func (w *ruleWriter) await(r *Rule) {
	order := "_"
	if r.Into["order"] != nil {
		order = w.name("order")
	}
	there := w.name("there")
	w.printf("%s, %s, err := %s", order, there, w.on(r, "Await", w.at(r)))
	w.printf("if err != nil {\n%s\n}", w.fails("err"))
	w.unless(there, r.Missing.Error)
	w.bind(r, "order", order, "uint64")
}

func (w *ruleWriter) watch(r *Rule) {
	scope := w.input(r.Scope, "string")
	switch {
	case r.Key != nil:
		w.printf("return %s, nil", w.on(r, "WatchKey", w.at(r)))
	case r.Head:
		w.printf("return %s, nil", w.on(r, "WatchHead", scope))
	default:
		w.printf("return %s, nil", w.on(r, "Watch", scope))
	}
}
