package reception

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// An owner is whom a notifier tells. The letters are those of the words that it heard: Disconnected, Expired, replaced
// by Another one.
type owner struct {
	*notifier
	release chan struct{} // the first call waits for it

	mu    sync.Mutex
	heard strings.Builder
}

func newOwner(t *testing.T) *owner {
	t.Helper()
	o := &owner{release: make(chan struct{})}
	o.notifier = &notifier{c: plainClient(t, &plain{}), name: "api/a", call: o.hear}
	return o
}

func (o *owner) hear(err error) {
	if o.note(err) == 1 {
		<-o.release
	}
}

// note notes what was heard, and returns how many words that are now.
func (o *owner) note(err error) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case errors.Is(err, ErrDisconnected):
		o.heard.WriteByte('D')
	case errors.Is(err, ErrSessionExpired):
		o.heard.WriteByte('E')
	case errors.Is(err, ErrReplaced):
		o.heard.WriteByte('A')
	}
	return o.heard.Len()
}

// play has the notifier told what happens: besides the owner's words, (k) the session was only in question and is kept,
// (r) the record is restored, and (x) the registration is over.
func (o *owner) play(events string) {
	for _, event := range events {
		map[rune]func(){
			'D': func() { o.disconnected(nil) }, 'E': func() { o.expired(nil) }, 'A': o.replaced, 'k': o.regained, 'r': func() { o.restored(true) }, 'x': o.end,
		}[event]()
		synctest.Wait()
	}
}

func TestNotifierWithABlockedCallback(t *testing.T) {
	// The callback blocks on the first word. What happens meanwhile is told when it returns: each word once, and the last
	// outage in its order.
	for events, want := range map[string]string{
		"D":        "D",
		"DD":       "D",
		"DE":       "DE",
		"DEDE":     "DE", // one outage: its record was never seen to be back
		"E":        "E",
		"DErDE":    "DDE",
		"DErDErDE": "DDE",
		"DErD":     "DED",
		"DkD":      "DD",
		"DkDkD":    "DD",
		"Dk":       "D",
		"DEk":      "DE",
		"DEkD":     "DE", // expired, it is not in question any more
		"DkDErDE":  "DDE",
		"DA":       "DA",
		"DEA":      "DEA",
		"DArDE":    "DA", // nothing after that
		"DEx":      "D",
		"DExrDE":   "D",
	} {
		t.Run(events, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOwner(t)
				o.play(events)
				close(o.release)
				synctest.Wait()
				if got := o.heard.String(); got != want {
					t.Errorf("heard %s, want %s", got, want)
				}
			})
		})
	}
}

func TestNotifierWhoseCallbackEndsItsGoroutine(t *testing.T) {
	// As the FailNow of a test does: what there is to tell is told all the same, then and later.
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(t)
		o.call = func(err error) {
			o.hear(err)
			runtime.Goexit()
		}
		o.play("DE")
		close(o.release)
		synctest.Wait()
		o.play("rDE")
		if got, want := o.heard.String(), "DEDE"; got != want {
			t.Errorf("heard %s, want %s", got, want)
		}
	})
}

func TestNotifierOfAnUpdate(t *testing.T) {
	// The registration is updated in the middle of an outage. Its owner is not told again that the session is in question;
	// that the record was gone is over, and the next outage is told from its beginning.
	for before, after := range map[string]struct{ events, want string }{
		"":    {"DE", "DE"},
		"D":   {"DErD", "ED"},
		"DE":  {"DE", "DE"},
		"DEr": {"DE", "DE"},
		"Dk":  {"D", "D"},
		"DkD": {"kDE", "DE"},
	} {
		t.Run(before, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, second := newOwner(t), newOwner(t)
				close(first.release)
				close(second.release)
				first.play(before)
				second.follow(first.notifier)
				first.end()
				second.play(after.events)
				if got := second.heard.String(); got != after.want {
					t.Errorf("after %s the new callback heard %s of %s, want %s", before, got, after.events, after.want)
				}
			})
		})
	}
}

func TestNotifierTellsTheCause(t *testing.T) {
	cause := errors.New("the reason")
	expired := fmt.Errorf("%w: %w", ErrSessionExpired, cause)
	for _, test := range []struct {
		news news
		want []error
	}{
		{news{ErrDisconnected, nil}, []error{ErrDisconnected}},
		{news{ErrDisconnected, cause}, []error{ErrDisconnected, cause}},
		{news{ErrSessionExpired, expired}, []error{ErrSessionExpired, cause}},
	} {
		err := test.news.err()
		for _, want := range test.want {
			if !errors.Is(err, want) {
				t.Errorf("%v is told as %v, which is not %v", test.news, err, want)
			}
		}
	}
	if got := (news{ErrSessionExpired, expired}).err(); got != expired { //nolint:errorlint // it is to be the same
		t.Errorf("the kind is told twice: %v", got)
	}
}
