package gen

import (
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSize is the size, in bytes, from which on a spec is refused without a look at it.
const maxSize = 1 << 20

// Load reads a spec from source. name is the file's name in messages. What is wrong is reported as a *SpecError: the
// first syntax error, or else every mistake.
func Load(name string, source []byte) (*Spec, error) {
	found := &problems{suggesting: suggestionWork}
	root := parse(found, source)
	if root == nil {
		return nil, found.err(name, source)
	}
	inspect(found, root)
	decoded := (&decoder{found}).mapping(root, []*kind{specKind})
	spec := build(found, decoded)
	if err := found.err(name, source); err != nil {
		return nil, err
	}
	spec.Digest = digest(decoded)
	return spec, nil
}

// parse gives the spec's only document, or notes the first thing that keeps it from being one.
func parse(found *problems, source []byte) *yaml.Node {
	if len(source) > maxSize {
		found.add(Position{1, 1}, "the spec has %d bytes", len(source)).expect("at most %d", maxSize)
		return nil
	}
	if !legible(found, string(source)) {
		return nil
	}
	var document yaml.Node
	switch err := yaml.NewDecoder(strings.NewReader(string(source))).Decode(&document); {
	case errors.Is(err, io.EOF):
		found.empty()
		return nil
	case err != nil:
		syntaxError(found, source, err)
		return nil
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		found.empty()
		return nil
	}
	return root
}

func (p *problems) empty() {
	p.add(Position{1, 1}, "the spec is empty").expect("a mapping with %s", enumerated(specKind.names()))
}
