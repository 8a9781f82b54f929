package hazards

import (
	"slices"
	"strings"
	"testing"
)

// LastLeaves is H12: a service that never existed is empty for who watches it, and so is one that was left by its last
// instance, again and again.
func LastLeaves(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	client, other := b.dial(t, server.Endpoints()), b.dial(t, server.Endpoints())
	states, err := client.NewWatcher(name).Start(t.Context())
	OK(t, err)
	Healthy(t, states)
	for range 3 {
		OK(t, other.Register(t.Context(), Service(name, "1"), nil))
		Healthy(t, states, "1")
		OK(t, other.Deregister(t.Context(), Service(name, "1")))
		Healthy(t, states)
	}
}

// Neighbours is the first half of H24, on every backend: of two names one begins with the other, or they differ in case
// alone. Each has its own instance, and all of them are names.
func Neighbours(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	client := b.dialWith(t, b.Shared(t).Endpoints(), b.patient(t))
	name := ServiceName(t)
	names := []string{name, name + "2", name + "-2", name + ".2", strings.ToUpper(name), name + "0"}
	for _, name := range names {
		OK(t, client.Register(t.Context(), Service(name, "of-"+name), nil))
	}
	for _, name := range names {
		Sees(t, Grace, client, name, "of-"+name)
	}
	got, err := client.ListNames(t.Context())
	OK(t, err)
	got = slices.DeleteFunc(got, func(n string) bool { return !strings.HasPrefix(strings.ToUpper(n), strings.ToUpper(name)) })
	slices.Sort(names)
	if slices.Sort(got); !slices.Equal(got, names) {
		t.Errorf("the names are %q, want %q", got, names)
	}
}
