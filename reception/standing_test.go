package reception

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestTermStandsOnItsSession has a term be confirmed whose session was renewed before. Until when that is certain is
// counted from renewals that have settled, never from the opening, which is older than it looks; and only if enough of
// it is left.
func TestTermStandsOnItsSession(t *testing.T) {
	const settle = 2 * time.Second
	tests := []struct {
		name    string
		renewed []time.Duration // after the opening
		asked   time.Duration   // when the term is confirmed
		goodFor time.Duration   // what the confirmation says
		want    time.Duration   // the horizon; 0: there is none
	}{
		{"just opened", nil, 0, testTTL, 0},
		{"renewed and not settled", []time.Duration{time.Second}, 2 * time.Second, testTTL, 0},
		{"settled", []time.Duration{time.Second, 3 * time.Second}, 3 * time.Second, testTTL, 10 * time.Second},
		{"settled, with too little left", []time.Duration{time.Second, 3 * time.Second}, 6 * time.Second, testTTL, 0},
		{"good for less than the session", []time.Duration{time.Second, 3 * time.Second}, 3 * time.Second, testTTL / 2, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				session := newRenewal(start, opened(settle), nil)
				for _, at := range test.renewed {
					session.confirm(start.Add(at), testTTL)
				}
				time.Sleep(test.asked)
				term := newTermRenewal(session, 0, nil)
				term.standOn(session)
				if term.held() {
					t.Error("a term is held that nobody has confirmed")
				}
				term.confirm(time.Now(), test.goodFor)
				term.standOn(session)
				got := time.Duration(0)
				if term.held() {
					got = term.horizon().Sub(start)
				}
				if got != test.want {
					t.Errorf("the horizon is at %v, want %v", got, test.want)
				}
			})
		})
	}
}
