package consultest

import (
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
)

// TestH14RemovedFromTheCatalog: somebody removes an instance from the servers alone: its agent takes it to be
// there still, and would look again after a minute.
func TestH14RemovedFromTheCatalog(t *testing.T) {
	t.Parallel()
	endpoint := shared(t).Endpoints()[0]
	client, admin := dial(t, endpoint, consul.WithTTLChecks()), open(t, endpoint)
	name := named(t)
	ok(t, client.Register(t.Context(), service(name, "1"), nil))
	created := func() (node, id string, index uint64) {
		entries, _, err := admin.Health().Service(name, "", true, (&api.QueryOptions{RequireConsistent: true}).WithContext(t.Context()))
		ok(t, err)
		if len(entries) == 0 {
			return "", "", 0
		}
		return entries[0].Node.Node, entries[0].Service.ID, entries[0].Service.CreateIndex
	}
	node, id, before := created()
	_, err := admin.Catalog().Deregister(&api.CatalogDeregistration{Node: node, ServiceID: id}, nil)
	ok(t, err)
	eventually(t, step, func() string { return "the instance is not restored" }, func() bool {
		_, _, now := created()
		return now > before
	})
}
