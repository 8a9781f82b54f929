package gen

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// choose says of which kind a mapping is, by the keys that tell the kinds apart. It notes what keeps it from telling.
func (d *decoder) choose(node *yaml.Node, kinds []*kind) *kind {
	switch {
	case len(kinds) == 1:
		return kinds[0]
	case kinds[0].rule != nil:
		return d.chooseRule(node, kinds)
	}
	return d.chooseType(node, kinds)
}

// chooseType gives the kind of a type. For one that it cannot tell it gives a kind that has every key, so that the
// type's name is known all the same.
func (d *decoder) chooseType(node *yaml.Node, kinds []*kind) *kind {
	var signs, found []string
	chosen := merged(common(kinds), kinds)
	for _, k := range kinds {
		signs = append(signs, quoted(k.sign.key))
		if lookup(node, k.sign.key) != nil {
			found = append(found, quoted(k.sign.key))
			chosen = k
		}
	}
	switch len(found) {
	case 0:
		d.found.add(positionOf(node), "a type that is nothing").expect("one of %s", enumerated(signs))
	case 1:
		return chosen
	default:
		d.found.add(positionOf(node), "a type with %s at once", strings.Join(found, " and ")).
			expect("one of %s", enumerated(signs))
	}
	return merged(common(kinds), kinds)
}

// chooseRule gives the kind of a rule, whose first key is the verb.
func (d *decoder) chooseRule(node *yaml.Node, kinds []*kind) *kind {
	if len(node.Content) == 0 {
		d.found.add(positionOf(node), "a rule without a verb").expect("one of %s", enumerated(verbs(kinds)))
		return nil
	}
	first, object := node.Content[0], node.Content[1]
	if !slices.Contains(verbs(kinds), first.Value) {
		d.noVerb(node, kinds)
		return nil
	}
	var objects []string
	for _, k := range kinds {
		switch {
		case k.sign.key != first.Value:
		case k.sign.value == "" || k.sign.value == object.Value:
			return k
		default:
			objects = append(objects, k.sign.value)
		}
	}
	if object.Kind != yaml.ScalarNode || object.Value == "" {
		d.mismatch(object, quoted(first.Value), "a word", enumerated(objects))
		return nil
	}
	d.found.unknown(positionOf(object), "thing to "+first.Value, object.Value, objects)
	return nil
}

// noVerb notes a rule whose first key is not a verb.
func (d *decoder) noVerb(node *yaml.Node, kinds []*kind) {
	first := node.Content[0]
	if first.Kind != yaml.ScalarNode || first.Tag == "!!merge" {
		return // inspect has noted it
	}
	attribute := slices.ContainsFunc(kinds, func(k *kind) bool { return k.find(first.Value) != nil })
	for i := 2; attribute && i < len(node.Content); i += 2 {
		if verb := node.Content[i]; slices.Contains(verbs(kinds), verb.Value) {
			d.found.add(positionOf(verb), "the verb %s is not the rule's first key", quoted(verb.Value)).
				expect("it in front")
			return
		}
	}
	d.found.unknown(positionOf(first), "verb", first.Value, verbs(kinds))
}

// verbs lists the first keys of rules.
func verbs(kinds []*kind) []string {
	var all []string
	for _, k := range kinds {
		if !slices.Contains(all, k.sign.key) {
			all = append(all, k.sign.key)
		}
	}
	return all
}

// complete notes the keys that a mapping lacks, and those that do not go with its others.
func (d *decoder) complete(m *mapping) {
	for i := range m.kind.keys {
		k := &m.kind.keys[i]
		switch applies := m.holds(k.when); {
		case m.broken[k.when.key]:
		case applies && k.required && !m.has(k.name) && !m.unsure:
			d.found.add(m.at, "%s lacks %s", m.title(), quoted(k.name)).expect("%s: %s", k.name, k.doc)
			m.lacks = true
		case !applies && m.has(k.name):
			d.found.add(m.keyPosition(k.name), "%s does not go with this %s", quoted(k.name), k.when.key).
				expect("it with %s: %s only", k.when.key, k.when.is)
		}
	}
	for _, n := range m.kind.needs {
		if m.has(n.key) && !m.has(n.other) {
			d.found.add(m.keyPosition(n.key), "%s says nothing without %s", quoted(n.key), quoted(n.other)).
				expect("both or neither")
		}
	}
	for _, group := range m.kind.one {
		if d.single(m, group) == 0 && !m.unsure {
			d.found.add(m.at, "%s lacks %s", m.title(), enumerated(quotedAll(group))).expect("one of them")
			m.lacks = true
		}
	}
	for _, group := range m.kind.most {
		d.single(m, group)
	}
}

// single notes a second one of keys of which there can be one only, and counts them.
func (d *decoder) single(m *mapping, group []string) int {
	has := slices.DeleteFunc(slices.Clone(group), func(key string) bool { return !m.has(key) })
	if len(has) > 1 {
		d.found.add(m.keyPosition(has[1]), "%s with both %s", m.title(), strings.Join(quotedAll(has), " and ")).
			expect("one of them")
	}
	return len(has)
}

// holds says whether a condition holds: the key has the value, or is left out and that means the same.
func (m *mapping) holds(c condition) bool {
	if c.key == "" {
		return true
	}
	if !m.has(c.key) {
		return m.kind.find(c.key).fallback == c.is
	}
	return m.text(c.key) == c.is
}

// keyPosition is where the key is, or else the mapping.
func (m *mapping) keyPosition(key string) Position {
	if at, ok := m.keys[key]; ok {
		return at
	}
	return m.at
}

func quotedAll(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = quoted(name)
	}
	return all
}
