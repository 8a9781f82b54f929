package hazards

import (
	"testing"
	"time"
)

// RemovedByOthers is H14: an administrator deletes the record of an instance, ends the session that it lives on, and puts
// something else in its place. Each time its owner notices, and it is listed again within two seconds. It is played before
// the hazards that are played side by side: their load is not what those seconds are for.
func RemovedByOthers(t *testing.T, b Backend) {
	t.Helper()
	server, name := b.Shared(t), ServiceName(t)
	client, other := b.dial(t, server.Endpoints()), b.dial(t, server.Endpoints())
	admin := b.Admin(t, server, Prefix(t))
	OK(t, client.Register(t.Context(), Service(name, "1"), nil))
	Sees(t, Grace, other, name, "1")
	what := map[string]func(name, id string){"its record was deleted": admin.Remove, "its session was ended": admin.End}
	if b.can(t, Overwrite) {
		what["its record was overwritten"] = admin.Overwrite
	}
	for range 5 {
		for done, do := range what {
			before := admin.Version(name, "1")
			do(name, "1")
			start := time.Now()
			Eventually(t, Back, func() string { return "it is back after " + done }, func() bool {
				got, err := IDs(t.Context(), other, name)
				now := admin.Version(name, "1")
				return err == nil && len(got) == 1 && now != "" && now != before
			})
			t.Logf("back %v after %s", time.Since(start), done)
		}
	}
}

// Deposed is H14 for elections: an administrator deletes what the leader holds its lead by. The leader's term ends within a
// second of it, and another one leads, with a greater token.
func Deposed(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server := b.Shared(t)
	client, other := b.dialWith(t, server.Endpoints(), b.terms(t)), b.dialWith(t, server.Endpoints(), b.terms(t))
	admin := b.Admin(t, server, Prefix(t))
	var last uint64
	for range 3 {
		r, err := b.startRace(t.Context(), client, other, "e")
		OK(t, err)
		if r.old.Token() <= last {
			t.Errorf("token %d follows %d", r.old.Token(), last)
		}
		b.phase() // by which the other one waits
		deposed(t, r, func() { admin.Depose("e") })
		next := <-r.won
		OK(t, next.err)
		if last = next.term.Token(); last <= r.old.Token() {
			t.Errorf("token %d follows %d", last, r.old.Token())
		}
		OK(t, next.term.Resign(t.Context()))
		r.cancel()
	}
}

// deposed has something end a term.
func deposed(tb testing.TB, r *race, do func()) {
	tb.Helper()
	do()
	start := time.Now()
	select {
	case end := <-r.ended:
		tb.Logf("the term has ended after %v", end.Sub(start))
	case <-time.After(time.Second + Grace):
		tb.Fatal("the term goes on")
	}
	if err := r.old.Verify(tb.Context()); err == nil || r.old.Held() {
		tb.Errorf("a term that has ended: held is %v, Verify says %v", r.old.Held(), err)
	}
}
