package chaostest

import (
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// madeUp is a term of which nothing is known but this.
type madeUp struct {
	reception.Term

	token uint64
	held  bool
}

func (m madeUp) Token() uint64 { return m.token }
func (m madeUp) Held() bool    { return m.held }

// TestOrderOfTerms shows that the measurement of fail-overs finds what it is there to find.
func TestOrderOfTerms(t *testing.T) {
	const margin, goodFor = 100 * time.Millisecond, time.Second
	confirm := driver.Call{Operation: driver.OpConfirm, Request: &driver.ConfirmRequest{Token: 2}}
	confirmed := &driver.ConfirmResponse{GoodFor: goodFor}
	for _, c := range []struct {
		name      string
		sent      time.Duration // ago: the last confirmation of the old term
		withdrawn bool
		held      bool // the old term, when the new one is confirmed
		unheard   bool // nothing has confirmed the new one
		token     uint64
		ok        bool
	}{
		{name: "one after the other", sent: goodFor, token: 2, ok: true},
		{name: "handed over", sent: 0, withdrawn: true, token: 2, ok: true},
		{name: "held when the next one is confirmed", sent: goodFor, held: true, token: 2},
		{name: "the horizon is still to come", sent: goodFor / 2, token: 2},
		{name: "never confirmed", sent: goodFor, unheard: true, token: 2},
		{name: "a token that does not grow", sent: goodFor, token: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			holder := &bounds{margin: margin}
			holder.answered(driver.Call{}, time.Now().Add(-c.sent), confirmed)
			if c.withdrawn {
				holder.asked(driver.Call{Operation: driver.OpWithdraw})
			}
			old := madeUp{token: 1, held: c.held}
			next := &member{process: &process{}}
			next.process.bounds.succeed(old)
			if !c.unheard {
				next.process.bounds.answered(confirm, time.Now(), confirmed)
			}
			_, err := next.after(old, madeUp{token: c.token}, holder.ended(time.Now().Add(time.Hour)))
			if ok := err == nil; ok != c.ok {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
