package hazards

import (
	"errors"
	"fmt"
	"testing"

	"github.com/go-reception/sdk/reception"
)

// SameID is H13: a second process registers the ID of the first. It wins, the first is told once, and nobody fights: the
// record is not written again, and the first one has nothing left to deregister.
func SameID(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server, name := b.Shared(t), ServiceName(t)
	first, second := b.dial(t, server.Endpoints()), b.dial(t, server.Endpoints())
	admin := b.Admin(t, server, Prefix(t))
	var told Recorder
	OK(t, first.Register(t.Context(), Service(name, "1"), told.Note))
	theirs := Service(name, "1")
	theirs.Port = 81
	OK(t, second.Register(t.Context(), theirs, nil))
	var version string
	Eventually(t, Back, func() string { return "the record is the second one's" }, func() bool {
		services, err := first.ListServices(t.Context(), name)
		version = admin.Version(name, "1")
		return err == nil && len(services) == 1 && services[0].Port == theirs.Port && version != ""
	})
	now := version
	Keeps(t, 3*b.TTL, func() string { return fmt.Sprintf("the record was %s, it is %s", version, now) }, func() bool {
		now = admin.Version(name, "1")
		return now == version
	})
	if got := told.All(); !are(got, []error{reception.ErrReplaced}) {
		t.Errorf("the first one is told %v", got)
	}
	if err := first.Deregister(t.Context(), Service(name, "1")); !errors.Is(err, reception.ErrNotRegistered) {
		t.Errorf("the first one deregisters: %v", err)
	}
	Sees(t, Grace, second, name, "1")
}
