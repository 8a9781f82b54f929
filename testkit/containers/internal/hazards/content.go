package hazards

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
)

// IllegalContent is H10: what no backend could store is refused before anything is sent: also while nothing can be, on a
// connection that swallows everything. The connection stands: a watch on it has no trouble, the next call succeeds. And the
// most that is allowed fits.
func IllegalContent(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	link := server.NewLink(t)
	client, other := b.dialWith(t, link.Endpoints(), b.patient(t)), b.dialWith(t, server.Endpoints(), b.patient(t))
	OK(t, client.Register(t.Context(), Service(name, "1"), nil))
	states, err := client.NewWatcher(name).Start(t.Context())
	OK(t, err)
	Healthy(t, states, "1")
	refuses(t, client, name)
	most := Service(name, "2")
	most.Attributes = reception.Attributes{}
	for i := range 60 {
		most.Attributes[strings.Repeat("k", 88)+fmt.Sprintf("%02d", i)] = strings.Repeat("\x01", 500)
	}
	OK(t, client.Register(t.Context(), most, nil))
	state := await(t, states, "what is next", func(*reception.ServiceState) bool { return true })
	if state.Err != nil || len(state.Services) != 2 || len(state.Services[1].Attributes) != len(most.Attributes) {
		t.Errorf("the next state is %+v", state)
	}
	Sees(t, Grace, other, name, "1", "2")
	undo := link.Blackhole(t)
	refuses(t, client, name)
	undo()
	Sees(t, Step+Grace, other, name, "1", "2")
}

// refuses has a client refuse what is illegal, in no time.
func refuses(tb testing.TB, client reception.Client, name string) {
	tb.Helper()
	large, many := Service(name, "bad"), Service(name, "bad")
	large.Attributes = reception.Attributes{"x": strings.Repeat("x", 1<<20)}
	many.Attributes = reception.Attributes{}
	for i := range 65 {
		many.Attributes[fmt.Sprint(i)] = ""
	}
	for _, bad := range []*reception.Service{
		large, many, Service("/", "bad"), Service("..", "bad"), Service("a\x00b", "bad"), Service(name, "ü"), Service(name, "a/b"),
	} {
		ctx, cancel := context.WithTimeout(tb.Context(), time.Second)
		if err := client.Register(ctx, bad, nil); !errors.Is(err, reception.ErrInvalidService) || ctx.Err() != nil {
			tb.Errorf("Register %.40q/%.40q: %v", bad.Name, bad.ID, err)
		}
		cancel()
	}
}

// ForeignEntries is H11: another tool puts among the instances of a service what is none, and one that is. The former are
// skipped, and named in the log; the latter is listed, and watched.
func ForeignEntries(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	said := &Lines{}
	settings := b.patient(t)
	settings.Logger = said
	client := b.dialWith(t, server.Endpoints(), settings)
	admin := b.Admin(t, server, Prefix(t))
	states, err := client.NewWatcher(name).Start(t.Context())
	OK(t, err)
	OK(t, client.Register(t.Context(), Service(name, "1"), nil))
	spoilt := admin.Spoil(name)
	admin.Plant(Service(name, "tool"))
	Sees(t, Grace, client, name, "1", "tool")
	Healthy(t, states, "1", "tool")
	for _, entry := range spoilt {
		Eventually(t, Grace, func() string { return fmt.Sprintf("%s is logged; the log is\n%s", entry, said.Text()) },
			func() bool { return strings.Contains(said.Text(), entry) })
	}
}
