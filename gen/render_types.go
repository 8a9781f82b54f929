package gen

import (
	"fmt"
	"strings"
)

// goType writes a type expression as code of the page's package.
func (p *page) goType(ref TypeRef) string { return ref.Go(p.Package) }

// typeName is the name under which the page's package knows t: a constraint alone is no Go type.
func (p *page) typeName(t *Type) string { return t.Go(p.Package) }

// isSlice says whether the expression is a slice, whose elements a copy shares.
func (r TypeRef) isSlice() bool { return strings.HasPrefix(r.Text, "[]") }

func (r TypeRef) isPointer() bool { return strings.HasPrefix(r.Text, "*") }

// copied is the expression that copies a field of this type so that nothing is shared, or "" if assigning it does.
func (r TypeRef) copied(expression string) string {
	switch {
	case r.isSlice():
		return "slices.Clone(" + expression + ")"
	case r.Type != nil && r.Type.Map != nil:
		return "maps.Clone(" + expression + ")"
	case r.Record != nil && references(r.Record.Fields), r.Type != nil && references(r.Type.Fields):
		return expression + ".Clone()"
	}
	return ""
}

// references says whether values of these fields share anything when they are assigned.
func references(fields []*Field) bool {
	for _, f := range fields {
		if f.Type.copied("") != "" {
			return true
		}
	}
	return false
}

// cloneMethod declares the method Clone of a struct.
func cloneMethod(name string, fields []*Field) string {
	receiver := lowerCamel(name[:1], "")
	var b strings.Builder
	fmt.Fprintf(&b, "// Clone returns a copy that shares nothing with %s.\n", receiver)
	fmt.Fprintf(&b, "func (%s %s) Clone() %s {\n", receiver, name, name)
	for _, f := range fields {
		field := receiver + "." + f.Name
		if copied := f.Type.copied(field); copied != "" {
			fmt.Fprintf(&b, "\t%s = %s\n", field, copied)
		}
	}
	fmt.Fprintf(&b, "\treturn %s\n}\n", receiver)
	return b.String()
}

// conversion is the expression that turns a value of one Go type into another; none where they are the same.
func conversion(from, to, expression string) string {
	if from == to {
		return expression
	}
	return to + "(" + expression + ")"
}

// toDriver is the expression that copies a field of the struct from, of package reception, for package driver.
func toDriver(f *Field) string { return converted(f, "toDriver", "", "driver.") }

// fromDriver is the same the other way round.
func fromDriver(f *Field) string { return converted(f, "fromDriver", "*", "") }

func converted(f *Field, function, dereference, qualifier string) string {
	t, field := f.Type.Type, "from."+f.Name
	switch {
	case f.Type.isSlice():
		return "slices.Clone(" + field + ")"
	case t == nil:
		return field
	case t.Map != nil:
		return function + t.Name + "(" + field + ")"
	case t.Fields != nil:
		return dereference + function + t.Name + "(&" + field + ")"
	}
	return convertedScalar(t, qualifier, field)
}

// mapEntries are the expressions that copy a map whose keys or values have types of their own in each package.
type mapEntries struct{ Type, Key, Value string }

func entries(t *Type, qualifier string) mapEntries {
	return mapEntries{
		Type:  qualifier + t.Name,
		Key:   convertedScalar(t.Map.Key, qualifier, "key"),
		Value: convertedScalar(t.Map.Value, qualifier, "value"),
	}
}

func convertedScalar(t *Type, qualifier, expression string) string {
	if !t.Named {
		return expression
	}
	return qualifier + t.Name + "(" + expression + ")"
}
