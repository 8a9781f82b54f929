package house

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const root = "github.com/go-reception/sdk"

// pkg is a package as go list reports it.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Module     *struct{ Path string }
}

// module returns the path of the module that p is part of.
func (p *pkg) module() string {
	if p.Module == nil {
		return ""
	}
	return p.Module.Path
}

// local returns p's path relative to the repository's root, and whether p is a
// package of the repository at all.
func (p *pkg) local() (string, bool) {
	if p.ImportPath == root {
		return ".", true
	}
	return strings.CutPrefix(p.ImportPath, root+"/")
}

// graph is packages by import path.
type graph map[string]*pkg

// a set says whether a package belongs to it.
type set func(*pkg) bool

func nothing(*pkg) bool { return false }

func except(s set) set { return func(p *pkg) bool { return !s(p) } }

func anyOf(sets ...set) set {
	return func(p *pkg) bool {
		return slices.ContainsFunc(sets, func(s set) bool { return s(p) })
	}
}

func modules(names ...string) set {
	return func(p *pkg) bool { return slices.Contains(names, p.module()) }
}

func paths(patterns ...string) set {
	return func(p *pkg) bool {
		path, ok := p.local()
		return ok && slices.ContainsFunc(patterns, func(pattern string) bool {
			tree, isTree := strings.CutSuffix(pattern, "/...")
			return path == tree || isTree && strings.HasPrefix(path, tree+"/")
		})
	}
}

// law bounds what some packages may import. The standard library and the
// packages of the same law are always allowed.
type law struct {
	text   string
	of     set
	may    set // what they may import themselves
	brings set // where set: the libraries they may bring along, through whatever they import
}

// violation is an import that breaks a law.
type violation struct {
	chain []string // the package, and the imports that lead to the one that is not allowed
	law   string
}

func (v violation) String() string {
	return fmt.Sprintf("%s\n  breaks the law: %s", strings.Join(v.chain, "\n  imports "), v.law)
}

// check returns every violation in g, in the order of the packages' paths.
func check(g graph) []violation {
	var found []violation
	for _, path := range slices.Sorted(maps.Keys(g)) {
		p := g[path]
		if _, ok := p.local(); !ok {
			continue
		}
		i := slices.IndexFunc(laws, func(l law) bool { return l.of(p) })
		if i < 0 {
			found = append(found, violation{[]string{path}, "each package is governed by a law in tools/house/laws_test.go"})
			continue
		}
		found = append(found, laws[i].check(g, p)...)
		if production(p) {
			found = append(found, g.reach(p, unwanted, productionText)...)
		}
	}
	return found
}

func (l law) check(g graph, p *pkg) []violation {
	var found []violation
	for _, path := range p.Imports {
		if q := g[path]; q != nil && !q.Standard && !l.of(q) && !l.may(q) {
			found = append(found, violation{[]string{p.ImportPath, path}, l.text})
		}
	}
	if len(found) > 0 || l.brings == nil {
		return found
	}
	return g.reach(p, func(q *pkg) bool {
		_, local := q.local()
		return !local && !q.Standard && !l.brings(q)
	}, l.text)
}

// reach returns a violation, with the shortest chain of imports, for each
// member of bad that p reaches first on its way.
func (g graph) reach(p *pkg, bad set, text string) []violation {
	var found []violation
	seen := map[string]bool{p.ImportPath: true}
	for queue := [][]string{{p.ImportPath}}; len(queue) > 0; queue = queue[1:] {
		chain := queue[0]
		for _, path := range g[chain[len(chain)-1]].Imports {
			q := g[path]
			if q == nil || q.Standard || seen[path] {
				continue
			}
			seen[path] = true
			longer := append(slices.Clone(chain), path)
			if bad(q) {
				found = append(found, violation{longer, text})
				continue
			}
			queue = append(queue, longer)
		}
	}
	return found
}
