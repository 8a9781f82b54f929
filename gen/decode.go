package gen

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A mapping is a mapping of a spec, as far as the grammar knows what to make of it.
type mapping struct {
	kind    *kind
	name    string // what it says its name is
	at      Position
	keys    map[string]Position
	entries map[string]*datum
	// broken are keys whose values were wrong and noted as such. Whoever misses one keeps quiet about it.
	broken map[string]bool
	unsure bool // it has keys that are none, so that what it seems to lack may be there
	lacks  bool // some key that it must have
}

// A datum is a value that has the shape its key asks for.
type datum struct {
	at      Position
	text    string   // scalars
	bounds  *Range   // shapeBounds
	items   []*datum // shapeList; broken ones are left out
	mapping *mapping // shapeObject
	pairs   []pair   // shapePaths, shapeResults
	partial bool     // some item or pair was left out
}

type pair struct{ key, value *datum }

// text gives a scalar, or "" where there is none.
func (m *mapping) text(key string) string {
	if d := m.entries[key]; d != nil {
		return d.text
	}
	return ""
}

// items gives what a list has.
func (m *mapping) items(key string) []*datum {
	if d := m.entries[key]; d != nil {
		return d.items
	}
	return nil
}

// has says whether the mapping has the key, be its value right or wrong.
func (m *mapping) has(key string) bool { return m.entries[key] != nil || m.broken[key] }

// position is where the key's value is, or else the mapping.
func (m *mapping) position(key string) Position {
	if d := m.entries[key]; d != nil {
		return d.at
	}
	return m.at
}

// title is what messages call the mapping.
func (m *mapping) title() string {
	if m.name != "" {
		return m.kind.name + " " + quoted(m.name)
	}
	return withArticle(m.kind.name)
}

// A decoder makes mappings of YAML nodes, by the grammar.
type decoder struct{ found *problems }

// mapping decodes a node that has to be a mapping of one of these kinds. It is nil, and noted, for one that is not.
func (d *decoder) mapping(node *yaml.Node, kinds []*kind) *mapping {
	if node.Kind != yaml.MappingNode {
		d.mismatch(node, withArticle(common(kinds)), "a mapping", "a mapping")
		return nil
	}
	k := d.choose(node, kinds)
	if k == nil {
		return nil
	}
	m := &mapping{
		kind: k, at: positionOf(node),
		keys: map[string]Position{}, entries: map[string]*datum{}, broken: map[string]bool{},
	}
	if name := lookup(node, "name"); name != nil && k.find("name") != nil {
		m.name = name.Value
	}
	var meant []string
	for i := 0; i < len(node.Content); i += 2 {
		switch key := node.Content[i]; {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			m.unsure = true // inspect has noted it
		case !m.has(key.Value):
			meant = append(meant, d.entry(m, key, node.Content[i+1]))
		}
	}
	for _, key := range meant {
		if key != "" && m.entries[key] == nil {
			m.broken[key] = true // so that it is not noted as missing
		}
	}
	d.complete(m)
	return m
}

// entry decodes a key and its value, if the grammar has that key. For one that it has not, it gives the one that was
// probably meant.
func (d *decoder) entry(m *mapping, key, node *yaml.Node) (meant string) {
	m.broken[key.Value], m.keys[key.Value] = true, positionOf(key)
	k := m.kind.find(key.Value)
	if k == nil {
		problem := d.found.unknown(positionOf(key), "key", key.Value, m.kind.names())
		problem.Message += " in " + m.title()
		return problem.Suggestion
	}
	if e := d.value(node, k.name, &k.value); e != nil {
		m.entries[k.name] = e
		delete(m.broken, k.name)
	}
	return ""
}

// lookup gives the value of a key of a mapping, or nil.
func lookup(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i < len(node.Content); i += 2 {
		if k := node.Content[i]; k.Kind == yaml.ScalarNode && k.Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// value decodes the value of a key, or an item of its list. It is nil, and noted, where the shape is wrong.
func (d *decoder) value(node *yaml.Node, key string, v *value) *datum {
	switch v.shape {
	case shapeList:
		return d.list(node, key, v)
	case shapeObject:
		if m := d.mapping(node, v.kinds); m != nil {
			return &datum{at: m.at, mapping: m}
		}
		return nil
	case shapeBounds:
		return d.bounds(node, key)
	case shapePaths, shapeResults:
		return d.pairs(node, key, v)
	}
	return d.scalar(node, key, v)
}

// list decodes a list. One item that is not in a list is not taken for a list.
func (d *decoder) list(node *yaml.Node, key string, v *value) *datum {
	if node.Kind != yaml.SequenceNode {
		d.mismatch(node, quoted(key), "a list", "a list")
		return nil
	}
	if len(node.Content) == 0 {
		d.found.add(positionOf(node), "%s is empty", quoted(key)).
			expect("at least one item, or no %s at all", quoted(key))
		return nil
	}
	all := &datum{at: positionOf(node)}
	for _, item := range node.Content {
		if decoded := d.value(item, key, v.items); decoded != nil {
			all.items = append(all.items, decoded)
		} else {
			all.partial = true
		}
	}
	return all
}

// pairs decodes a mapping whose keys are not the grammar's.
func (d *decoder) pairs(node *yaml.Node, key string, v *value) *datum {
	if node.Kind != yaml.MappingNode {
		d.mismatch(node, quoted(key), "a mapping", "a mapping")
		return nil
	}
	if len(node.Content) == 0 {
		d.found.add(positionOf(node), "%s is empty", quoted(key)).
			expect("at least one entry, or no %s at all", quoted(key))
		return nil
	}
	left, right := value{shape: shapePath}, value{shape: shapePath}
	if v.shape == shapeResults {
		left, right = value{shape: shapeResult}, value{shape: shapeField}
	}
	all := &datum{at: positionOf(node)}
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		from, to := node.Content[i], node.Content[i+1]
		if from.Kind != yaml.ScalarNode || from.Tag == "!!merge" || seen[from.Value] {
			all.partial = true // inspect has noted it
			continue
		}
		seen[from.Value] = true
		l, r := d.scalar(from, key, &left), d.scalar(to, key, &right)
		if l == nil || r == nil {
			all.partial = true
			continue
		}
		all.pairs = append(all.pairs, pair{l, r})
	}
	return all
}

// mismatch notes a value of the wrong sort, unless inspect has noted it.
func (d *decoder) mismatch(node *yaml.Node, what, is, expected string) {
	switch {
	case node.Kind == yaml.AliasNode || node.Style&yaml.TaggedStyle != 0:
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		d.found.add(positionOf(node), "%s has no value", what).expect("%s", expected)
	default:
		d.found.add(positionOf(node), "%s is %s, and this is %s", what, is, nodeName(node)).expect("%s", expected)
	}
}

// common is what the kinds that may stand in one place are called together.
func common(kinds []*kind) string {
	switch {
	case len(kinds) == 1:
		return kinds[0].name
	case kinds[0].rule != nil:
		return "rule"
	}
	return "type"
}

// withArticle puts the indefinite article before a noun.
func withArticle(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) && !strings.HasPrefix(noun, "una") {
		return "an " + noun
	}
	return "a " + noun
}

// enumerated joins alternatives.
func enumerated(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return fmt.Sprintf("%s or %s", strings.Join(names[:last], ", "), names[last])
}
