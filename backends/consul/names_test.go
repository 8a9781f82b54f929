package consul

import (
	"errors"
	"net/http"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

func TestNoNamesAtAll(t *testing.T) {
	// Consul tells those who show a token that it has filtered an answer. Who shows none, and may read nothing, gets an
	// empty one that looks as if there was nothing to tell; but there always is a node.
	const token, policy = "X-Consul-Results-Filtered-By-Acls", "X-Consul-Default-Acl-Policy"
	node := []*api.Node{{Node: "n0"}}
	for name, test := range map[string]struct {
		header, value string
		nodes         []*api.Node
		want          error
	}{
		"there are none":         {policy, "allow", node, nil},
		"with a token":           {token, "true", node, driver.ErrPermission},
		"without a token":        {policy, "deny", []*api.Node{}, driver.ErrPermission},
		"there are none, really": {policy, "deny", node, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			s.script("/v1/catalog/services", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(test.header, test.value)
				answer(w, 9, map[string][]string{})
			})
			s.script("/v1/catalog/nodes", func(w http.ResponseWriter, _ *http.Request) { answer(w, 9, test.nodes) })
			names, err := s.backend(t).ListNames(t.Context(), &driver.ListNamesRequest{})
			if !errors.Is(err, test.want) || (names == nil) != (test.want != nil) {
				t.Errorf("%v, %v, want %v", names, err, test.want)
			}
		})
	}
}
