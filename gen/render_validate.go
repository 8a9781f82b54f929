package gen

import (
	"fmt"
	"slices"
	"strings"
)

// constrained says whether a value of the type can be wrong.
func (t *Type) constrained() bool { return t.constrains(map[*Type]bool{}) }

// constrains looks at each type once, as several may share another: seen are those that have been found harmless.
func (t *Type) constrains(seen map[*Type]bool) bool {
	switch {
	case seen[t]:
		return false
	case t.Length != nil || t.Range != nil || t.Pattern != "" || t.Format != "":
		return true
	case t.Map != nil && (t.Map.Key.constrains(seen) || t.Map.Value.constrains(seen)):
		return true
	}
	seen[t] = true
	return slices.ContainsFunc(t.Fields, func(f *Field) bool { return f.holdsType() && f.Type.Type.constrains(seen) })
}

// checked says whether a value of the field can be wrong.
func (f *Field) checked() bool { return f.holdsType() && f.Type.Type.constrained() }

// holdsType says whether the field has one value of a type of the spec.
func (f *Field) holdsType() bool { return f.Type.Type != nil && !f.Type.isSlice() }

// A validator is the function that checks what one method of an interface takes.
type validator struct {
	Name       string
	Method     string // as a doc link
	Parameters []*Field
}

// Validators are the functions that check parameters: validate and the method's name, with the interface's in between
// where several interfaces have a method of that name to check.
func (p *page) Validators() []validator {
	var all []validator
	count := map[string]int{}
	for _, i := range p.Interfaces {
		for _, m := range i.Methods {
			if parameters := checkedOf(m.In); len(parameters) > 0 {
				all = append(all, validator{i.Name, m.Name, parameters})
				count[m.Name]++
			}
		}
	}
	for k, v := range all {
		all[k].Name = "validate" + v.Method
		if count[v.Method] > 1 {
			all[k].Name = "validate" + v.Name + v.Method
		}
		all[k].Method = "[" + v.Name + "." + v.Method + "]"
	}
	return all
}

func checkedOf(fields []*Field) []*Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f *Field) bool { return !f.checked() })
}

// Checks are the types that validators check, each after those that use it.
func (p *page) Checks() []*Type {
	var used []*Type
	var use func(t *Type)
	use = func(t *Type) {
		if !t.constrained() || slices.Contains(used, t) {
			return
		}
		used = append(used, t)
		if t.Map != nil {
			use(t.Map.Key)
			use(t.Map.Value)
		}
		for _, f := range checkedOf(t.Fields) {
			use(f.Type.Type)
		}
	}
	for _, v := range p.Validators() {
		for _, f := range v.Parameters {
			if len(f.Only) == 0 {
				use(f.Type.Type)
				continue
			}
			for _, field := range selected(f.Type.Type, f.Only) {
				use(field.Type.Type)
			}
		}
	}
	return used
}

// selected are the fields of t with these names, in the order of t.
func selected(t *Type, names []string) []*Field {
	return slices.DeleteFunc(checkedOf(t.Fields), func(f *Field) bool { return !slices.Contains(names, f.Name) })
}

// argument is how a check takes a value of the type.
func (p *page) argument(t *Type) string {
	switch {
	case t.Base != "":
		return t.Base
	case t.Map != nil:
		return p.typeName(t)
	}
	return "*" + p.typeName(t)
}

// scalar is an expression of the scalar type t as its base type.
func (p *page) scalar(t *Type, expression string) string {
	return conversion(p.typeName(t), t.Base, expression)
}

// limits is the condition under which the scalar called value is wrong.
func limits(t *Type) string {
	var wrong []string
	bound := func(measure string, r *Range, least int) {
		if r != nil && r.Min > least {
			wrong = append(wrong, fmt.Sprintf("%s < %d", measure, r.Min))
		}
		if r != nil {
			wrong = append(wrong, fmt.Sprintf("%s > %d", measure, r.Max))
		}
	}
	bound("len(value)", t.Length, 0)
	bound("value", t.Range, minInt)
	if t.Pattern != "" {
		wrong = append(wrong, "!"+patternName(t)+".MatchString(value)")
	}
	switch t.Format {
	case "host":
		wrong = append(wrong, "!isHost(value)")
	case "utf8":
		wrong = append(wrong, "!utf8.ValidString(value)")
	}
	return strings.Join(wrong, " || ")
}

const minInt = -1 << 63

func patternName(t *Type) string { return lowerCamel(t.Name, "") + "Pattern" }

// patternLiteral is the pattern as a Go literal, raw where that is possible.
func patternLiteral(t *Type) string {
	if strings.Contains(t.Pattern, "`") {
		return fmt.Sprintf("%q", t.Pattern)
	}
	return "`" + t.Pattern + "`"
}

// fieldCheck are the statements that check a field of the struct called value.
func (p *page) fieldCheck(f *Field) string { return p.check(f, "value."+f.Name, "."+f.Name) }

// parameterCheck are the statements that check a parameter.
func (p *page) parameterCheck(f *Field) string {
	if len(f.Only) == 0 && len(f.Require) == 0 {
		return p.check(f, f.Name, f.Name)
	}
	var statements []string
	if f.Type.isPointer() {
		statements = append(statements, guardNil(f.Name, f.Name))
	}
	if len(f.Only) == 0 {
		statements = append(statements, p.checkCall(f, f.Name, f.Name))
	}
	for _, field := range f.Type.Type.Fields {
		path := f.Name + "." + field.Name
		if slices.Contains(f.Require, field.Name) {
			empty := isEmpty(field.Type, path, "==")
			statements = append(statements, guard(empty, path, requirement(field.Type.Type)))
		}
		if slices.Contains(f.Only, field.Name) && field.checked() {
			statements = append(statements, p.check(field, path, path))
		}
	}
	return strings.Join(statements, "\n")
}

// check are the statements that check one value; they return what is wrong with path in front.
func (p *page) check(f *Field, expression, path string) string {
	call := p.checkCall(f, expression, path)
	switch {
	case f.Optional:
		return fmt.Sprintf("if %s {\n%s\n}", isEmpty(f.Type, expression, "!="), call)
	case f.Type.isPointer():
		return guardNil(expression, path) + "\n" + call
	}
	return call
}

func (p *page) checkCall(f *Field, expression, path string) string {
	t, argument := f.Type.Type, expression
	switch {
	case t.Base != "":
		argument = p.scalar(t, expression)
	case t.Map == nil && !f.Type.isPointer():
		argument = "&" + expression
	}
	return fmt.Sprintf("if err := check%s(%s); err != nil {\nreturn err.in(%q)\n}", t.Name, argument, path)
}

// guard is the statement that returns a broken rule under a condition.
func guard(condition, path, rule string) string {
	return fmt.Sprintf("if %s {\nreturn &fieldError{\npath: %q,\nrule: %q,\n}\n}", condition, path, rule)
}

func guardNil(expression, path string) string {
	return guard(expression+" == nil", path, "must not be nil")
}

// isEmpty is the condition that an expression of the type equals, or does not equal, its empty value.
func isEmpty(ref TypeRef, expression, operator string) string {
	switch {
	case ref.isPointer():
		return expression + " " + operator + " nil"
	case ref.Type != nil && ref.Type.Map != nil:
		return "len(" + expression + ") " + operator + " 0"
	case ref.Type != nil && ref.Type.Base == "int":
		return expression + " " + operator + " 0"
	}
	return expression + " " + operator + ` ""`
}

// requirement is the rule of a field that is optional elsewhere.
func requirement(t *Type) string {
	if t == nil || t.Says == "" {
		return "must not be empty"
	}
	return "is required and " + t.Says
}
