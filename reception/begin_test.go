package reception

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestRegistrationBeginsWhileItsSessionChanges(t *testing.T) {
	// The record is stored; then something becomes of the session, which all are told that are kept, and this one is not
	// yet; then it is. Its owner hears how the session is by then, and all that becomes of it after that: the letters are
	// those of an owner.
	confirmed := func(s *session) { s.renewal.confirm(time.Now(), testTTL) }
	for name, test := range map[string]struct {
		meanwhile   func(*session)
		after, want string
	}{
		"nothing":                      {func(*session) {}, "DkDE", "DDE"},
		"lapses":                       {func(*session) { time.Sleep(testTTL) }, "DkDE", "DDE"},
		"lapses, and is regained":      {func(s *session) { time.Sleep(testTTL); confirmed(s) }, "DkDE", "DDE"},
		"lapses, and is regained late": {func(*session) { time.Sleep(testTTL) }, "kDE", "DDE"},
		"goes":                         {func(s *session) { s.drop() }, "ErDE", "EDE"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOwner(t)
				close(o.release)
				s := &session{renewal: newRenewal(time.Now(), opened(0), nil)}
				s.gone, s.drop = context.WithCancel(t.Context())
				defer s.drop()
				r := newRegistrations(o.c)
				u := &upkeep{r: r, owner: o.notifier, on: s}
				test.meanwhile(s)
				r.begin(&place{}, u, nil)
				synctest.Wait()
				o.play(test.after)
				if got := o.heard.String(); got != test.want {
					t.Errorf("the owner heard %s, want %s", got, test.want)
				}
			})
		})
	}
}
