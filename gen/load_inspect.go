package gen

import "go.yaml.in/yaml/v3"

// maxDepth is how deep mappings and lists may nest: twice what the grammar has a use for.
const maxDepth = 20

// inspect notes what YAML can do and a spec must not: whatever makes it mean something else than what one reads at the
// place.
func inspect(found *problems, root *yaml.Node) { inspectNode(found, root, 1) }

func inspectNode(found *problems, node *yaml.Node, depth int) {
	at := positionOf(node)
	if depth > maxDepth {
		tooDeep(found, at)
		return
	}
	if node.Anchor != "" {
		found.add(at, "an anchor, %s", quoted("&"+node.Anchor)).expect("everything written out")
	}
	if node.Style&yaml.TaggedStyle != 0 {
		found.add(at, "a tag, %s", quoted(node.Tag)).expect("a value without a tag")
	}
	if node.Kind == yaml.AliasNode {
		found.add(at, "an alias, %s", quoted("*"+node.Value)).expect("everything written out")
	}
	if node.Kind == yaml.MappingNode {
		inspectKeys(found, node)
	}
	for _, child := range node.Content {
		inspectNode(found, child, depth+1)
	}
}

func tooDeep(found *problems, at Position) {
	found.add(at, "nested too deep").expect("at most %d levels", maxDepth)
}

// inspectKeys notes keys that are no text, or that the mapping has already.
func inspectKeys(found *problems, mapping *yaml.Node) {
	lines := map[string]int{}
	for i := 0; i < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		switch line, twice := lines[key.Value]; {
		case key.Kind == yaml.AliasNode: // is noted as such
		case key.Tag == "!!merge":
			found.add(positionOf(key), "a merge key").expect("everything written out")
		case key.Kind != yaml.ScalarNode:
			found.add(positionOf(key), "a key that is %s", nodeName(key)).expect("a name")
		case twice:
			found.add(positionOf(key), "duplicate key %s", quoted(key.Value)).
				expect("one; the first is at line %d", line)
		default:
			lines[key.Value] = key.Line
		}
	}
}

func positionOf(node *yaml.Node) Position { return Position{node.Line, node.Column} }

// nodeName says what sort of value a node is.
func nodeName(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch node.Tag {
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	case "!!str":
		return "text"
	}
	return "something else"
}
