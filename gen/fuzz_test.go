package gen

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Whatever the source is, Load ends, with a spec or with problems that are inside the file. A spec that loads does so
// again with the same digest, is rendered, and is accepted by the schema.
func FuzzLoad(f *testing.F) {
	for _, name := range append(validSpecs(f), invalidSpecs(f)...) {
		source, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	schema := compiledSchema(f)
	f.Fuzz(func(t *testing.T, source []byte) {
		spec, err := Load("spec.yaml", source)
		if err != nil {
			var wrong *SpecError
			if spec != nil || !errors.As(err, &wrong) || len(wrong.Problems) == 0 || err.Error() == "" {
				t.Fatalf("got %v and %#v", spec, err)
			}
			checkProblems(t, wrong, source)
			return
		}
		again, err := Load("other.yaml", source)
		if err != nil || again.Digest != spec.Digest {
			t.Fatalf("first %s, then %v, %v", spec.Digest, again, err)
		}
		if _, err := Render(spec); err != nil {
			t.Error(err)
		}
		var document any
		if err := yaml.Unmarshal(source, &document); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Error(err)
		}
	})
}

// Specs that were sound until somebody has moved, dropped and confused their parts get further into the checks than
// bytes at random do.
func FuzzLoadDamaged(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(seed)
	}
	var trees [][]byte
	for _, name := range validSpecs(f) {
		source, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		trees = append(trees, source)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		var document yaml.Node
		if err := yaml.Unmarshal(trees[random.IntN(len(trees))], &document); err != nil {
			t.Fatal(err)
		}
		for range 1 + random.IntN(4) {
			damage(&document, random)
		}
		source, err := yaml.Marshal(&document)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := Load("spec.yaml", source)
		var wrong *SpecError
		switch {
		case errors.As(err, &wrong):
			checkProblems(t, wrong, source)
		case err != nil:
			t.Error(err)
		default:
			if _, err := Render(spec); err != nil {
				t.Errorf("%v\n%s", err, source)
			}
		}
	})
}

// damage drops a part of a document, doubles it, or puts another part of the document in its place.
func damage(document *yaml.Node, random *rand.Rand) {
	var parents []*yaml.Node
	var collect func(*yaml.Node)
	collect = func(n *yaml.Node) {
		if n.Kind != yaml.DocumentNode && len(n.Content) > 0 {
			parents = append(parents, n)
		}
		for _, child := range n.Content {
			collect(child)
		}
	}
	collect(document)
	if len(parents) == 0 {
		return
	}
	pick := func() (*yaml.Node, int) {
		parent := parents[random.IntN(len(parents))]
		return parent, random.IntN(len(parent.Content))
	}
	parent, i := pick()
	size := 1
	if parent.Kind == yaml.MappingNode {
		i, size = i/2*2, 2
	}
	switch part := slices.Clone(parent.Content[i : i+size]); random.IntN(4) {
	case 0:
		parent.Content = slices.Delete(slices.Clone(parent.Content), i, i+size)
	case 1:
		parent.Content = slices.Insert(slices.Clone(parent.Content), i, part...)
	default:
		from, k := pick()
		if from.Kind == yaml.MappingNode && random.IntN(8) > 0 {
			k |= 1 // rather a value than a key
		}
		if other := from.Content[k]; !contains(other, parent) {
			parent.Content = slices.Clone(parent.Content)
			parent.Content[i+size-1] = other
		}
	}
}

// contains says whether a tree has a node.
func contains(tree, node *yaml.Node) bool {
	return tree == node || slices.ContainsFunc(tree.Content, func(child *yaml.Node) bool { return contains(child, node) })
}
