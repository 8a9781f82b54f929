package consultest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/backends/consul"
)

// TestTogether registers many instances of a name at once, whose IDs have in them what is special in patterns, beside a
// service of another tool's: each is listed when its Register returns, and gone when its Deregister does.
func TestTogether(t *testing.T) {
	t.Parallel()
	server := shared(t).Endpoints()[0]
	writer, reader := dial(t, server, consul.WithTTLChecks()), dial(t, server, consul.WithTTLChecks())
	const n = 60
	name, theirs := t.Name(), t.Name()+"-theirs"
	admin := open(t, server).Agent()
	ok(t, admin.ServiceRegister(&api.AgentServiceRegistration{ID: theirs, Name: name}))
	t.Cleanup(func() { ok(t, admin.ServiceDeregister(theirs)) })
	all := func(do func(id string)) {
		var tasks sync.WaitGroup
		for i := range n {
			tasks.Go(func() { do(fmt.Sprintf("a.%d-b_%d", i, i)) })
		}
		tasks.Wait()
	}
	is := func(id string, want bool) {
		listed, err := ids(t.Context(), reader, name)
		if err != nil {
			t.Error(err)
		}
		if slices.Contains(listed, id) != want {
			t.Errorf("%s is listed: %v, among %d", id, !want, len(listed))
		}
	}
	all(func(id string) {
		if err := writer.Register(t.Context(), service(name, id), nil); err != nil {
			t.Error(err)
		}
		is(id, true)
	})
	all(func(id string) {
		if err := writer.Deregister(t.Context(), service(name, id)); err != nil {
			t.Error(err)
		}
		is(id, false)
	})
	if listed, err := ids(t.Context(), reader, name); err != nil || !slices.Equal(listed, []string{theirs}) {
		t.Errorf("%q are left, %v", listed, err)
	}
}
