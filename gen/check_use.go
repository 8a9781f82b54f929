package gen

// checkNesting notes types that contain themselves, by value or by pointer: copying and checking them has no end.
func (c *checker) checkNesting() {
	done := map[any]bool{}
	for _, t := range c.spec.Types {
		c.descend(t, t.Fields, done)
	}
	for _, r := range c.spec.Records {
		c.descend(r, r.Fields, done)
	}
}

// descend notes fields that lead back to something on the way from which the walk has come. done says false for those
// that are on the way.
func (c *checker) descend(at any, fields []*Field, done map[any]bool) {
	if _, been := done[at]; been {
		return
	}
	done[at] = false
	for _, f := range fields {
		var inner any
		var nested []*Field
		switch {
		case f.Type.Type != nil:
			inner, nested = f.Type.Type, f.Type.Type.Fields
		case f.Type.Record != nil:
			inner, nested = f.Type.Record, f.Type.Record.Fields
		default:
			continue
		}
		if over, been := done[inner]; been && !over {
			c.add(f.Type.Pos, "%s contains itself", quoted(f.Type.Text)).
				expect("something finite; a slice of pointers ends")
			f.Type = TypeRef{}
			continue
		}
		c.descend(inner, nested, done)
	}
	done[at] = true
}

// checkUse notes what nothing refers to, as far as all references are known.
func (c *checker) checkUse() {
	for _, t := range c.spec.Types {
		if c.types[t.Name] == t && len(t.Packages) == 0 && !c.used[t] && !c.vague[t] && !c.lostTypes {
			c.add(t.Pos, "nothing is of type %s", quoted(t.Name)).expect("a field or parameter of it, or no such type")
		}
	}
	if c.lostRules {
		return
	}
	for _, e := range c.spec.Errors {
		if c.errors[e.Name] == e && e.Origin == OriginOperation && !c.used[e] {
			c.add(e.Pos, "no operation declares the error %s", quoted(e.Name)).
				expect("one that does, or another origin")
		}
	}
	for _, r := range c.spec.Records {
		switch {
		case c.records[r.Name] != r: // a duplicate
		case !c.used[r]:
			c.add(r.Pos, "no rule is about the record %s", quoted(r.Name)).expect("one that is, or no such record")
		case !c.put[r]:
			c.add(r.Pos, "no rule puts a record %s, so there is never one", quoted(r.Name)).expect("a rule that does")
		}
	}
}
