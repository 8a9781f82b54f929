package gen

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// last is the field that the path leads to.
func (p *Path) last() *Field { return p.Fields[len(p.Fields)-1] }

// storedType writes the type of what records and requests hold, which is data of package driver, for the fake.
func storedType(ref TypeRef) string {
	goType := ref.Go("driver")
	if token.IsExported(goType) {
		return "driver." + goType
	}
	return goType
}

// valueOf is the expression of what a path of root leads to, as a value of the Go type want; as it is if want is empty.
func valueOf(root string, path *Path, want string) string {
	expression := root + "." + strings.Join(path.Names, ".")
	if want == "" {
		return expression
	}
	return conversion(storedType(path.last().Type), want, expression)
}

// stringFor is a string expression as a value for what the path leads to.
func stringFor(path *Path, expression string) string {
	return conversion("string", storedType(path.last().Type), expression)
}

// outcomes are the errors for an absent record and for somebody else's, each nil if that is fine.
func (r *Rule) outcomes() (missing, foreign *Error) {
	switch {
	case r.Owner == nil:
		return r.Missing.Error, nil
	case r.Else == nil:
		return r.Missing.Error, r.Missing.Error
	}
	return r.Missing.Error, r.Else
}

func (w *ruleWriter) printf(format string, arguments ...any) {
	w.statements = append(w.statements, fmt.Sprintf(format, arguments...))
}

// input is the value that a path of the request leads to.
func (w *ruleWriter) input(path *Path, want string) string { return valueOf("in", path, want) }

// on is a call of a method of the rule's table.
func (w *ruleWriter) on(r *Rule, method string, arguments ...string) string {
	arguments = append([]string{"tx"}, arguments...)
	return fmt.Sprintf("t.%s.%s(%s)", lowerCamel(r.Record.GoName(), "Rule"), method, strings.Join(arguments, ", "))
}

// at are the arguments that say which record the rule is about.
func (w *ruleWriter) at(r *Rule) string {
	return w.input(r.Scope, "string") + ", " + w.input(r.Key, "string")
}

// onOwned is a call of a method of the rule's table that takes a record and says whose it may be.
func (w *ruleWriter) onOwned(r *Rule, method string, arguments ...string) string {
	owned := "kernel.Anyone"
	switch {
	case r.Generation != nil:
		owned = "kernel.OwnedUpTo(" + w.input(r.Owner, "string") + ", " + w.input(r.Generation, "uint64") + ")"
	case r.Owner != nil:
		owned = "kernel.OwnedBy(" + w.input(r.Owner, "string") + ")"
	}
	if r.Owner != nil && len(w.at(r))+len(owned) > lineWidth/2 {
		owned = w.declared("owned", owned)
	}
	return w.on(r, method, append([]string{w.at(r), owned}, arguments...)...)
}

// declared is the variable that has the value of an expression; it is declared the first time.
func (w *ruleWriter) declared(name, expression string) string {
	if w.variables[expression] == "" {
		w.variables[expression] = w.name(name)
		w.printf("%s := %s", w.variables[expression], expression)
	}
	return w.variables[expression]
}

// bind gives a result of the rule to the response, if the spec wants it. from is the result's Go type where the field
// may have one of its own.
func (w *ruleWriter) bind(r *Rule, result, expression, from string) {
	field := r.Into[result]
	if field == nil {
		return
	}
	if from != "" {
		expression = conversion(from, storedType(field.Type), expression)
	}
	w.printf("out.%s = %s", field.Name, expression)
}

// fails is the statement that returns an error.
func (w *ruleWriter) fails(err string) string {
	if w.operation.Stream {
		return "return nil, " + err
	}
	return "return " + err
}

// when raises an error under a condition.
func (w *ruleWriter) when(condition string, e *Error) {
	w.printf("if %s {\n%s\n}", condition, w.fails("driver."+e.Sentinel()))
}

func (w *ruleWriter) unless(condition string, e *Error) { w.when("!"+condition, e) }

// outcomes raises the errors for what a match of kernel.Match can be beside Own; nil for those that are fine.
func (w *ruleWriter) outcomes(match string, absent, foreign *Error) {
	switch {
	case absent == nil && foreign == nil:
	case absent == foreign:
		w.when(match+" != kernel.Own", absent)
	case foreign == nil:
		w.when(match+" == kernel.Absent", absent)
	case absent == nil:
		w.when(match+" == kernel.Foreign", foreign)
	default:
		w.printf("switch %s {\ncase kernel.Absent:\n%s\ncase kernel.Foreign:\n%s\n}", match,
			w.fails("driver."+absent.Sentinel()), w.fails("driver."+foreign.Sentinel()))
	}
}

func (w *ruleWriter) isLast(r *Rule) bool { return w.operation.Rules[len(w.operation.Rules)-1] == r }

// record is the record that a put stores.
func (w *ruleWriter) record(r *Rule) string {
	if r.From != nil {
		return w.input(r.From, "")
	}
	record := w.name("record")
	w.printf("%s := %s", record, w.literal("driver."+r.Record.GoName(), r.Set, 0))
	return record
}

// literal is a composite literal of what the assignments give; all of them go to the same struct, whose fields are the
// path elements at depth.
func (w *ruleWriter) literal(goType string, set []Assignment, depth int) string {
	var b strings.Builder
	b.WriteString(goType + "{\n")
	for i, a := range set {
		name := a.To.Names[depth]
		same := func(b Assignment) bool { return b.To.Names[depth] == name }
		if slices.ContainsFunc(set[:i], same) {
			continue
		}
		field := a.To.Fields[depth]
		value := w.input(a.From, storedType(field.Type))
		if len(a.To.Names) > depth+1 {
			inner := slices.DeleteFunc(slices.Clone(set), func(b Assignment) bool { return !same(b) })
			value = w.literal(storedType(field.Type), inner, depth+1)
		}
		fmt.Fprintf(&b, "%s: %s,\n", name, value)
	}
	return b.String() + "}"
}
