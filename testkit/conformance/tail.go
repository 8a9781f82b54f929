package conformance

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// A tail is a stream that a case reads itself, and what it has told so far. Backends are free to tell of a change by the
// change or by a reset, so cases look at what is present.
type tail[R any] struct {
	s       *scene
	stream  driver.Stream[R]
	key     func(*R) string
	version func(*R) uint64 // tells a record from its successor under the same key
	present map[string]*R
	cursor  uint64
}

// open wraps a stream that was opened.
func (t *tail[R]) open(s *scene, stream driver.Stream[R], err error) *tail[R] {
	s.Helper()
	s.ok(err)
	s.Cleanup(stream.Close)
	t.s, t.stream = s, stream
	first := t.next(s.soon())
	if !first.Reset {
		s.Fatalf("the first batch of a stream is no reset: %+v", first)
	}
	return t
}

// next reads the next batch. The case fails if none comes within that time.
func (t *tail[R]) next(within time.Duration) *driver.Batch[R] {
	t.s.Helper()
	batch, err := t.stream.Next(t.s.brief(within))
	if err != nil {
		t.s.Fatalf("no batch within %v: %v; present: %s", within, err, t)
	}
	if batch.Reset {
		t.present = make(map[string]*R)
	}
	for _, change := range batch.Changes {
		key := t.key(change.Record)
		switch before := t.present[key]; {
		case !change.Deleted:
			t.present[key] = change.Record
		case batch.Reset:
			t.s.Fatalf("a reset deletes %+v", change.Record)
		case before != nil && t.version(before) == t.version(change.Record):
			delete(t.present, key)
		}
	}
	if !batch.Reset && batch.Cursor < t.cursor {
		t.s.Fatalf("the cursor goes back from %d to %d", t.cursor, batch.Cursor)
	}
	t.cursor = batch.Cursor
	return batch
}

// until reads until what is present is as wanted. The case fails if that does not happen within that time.
func (t *tail[R]) until(within time.Duration, what string, wanted func(present map[string]*R) bool) {
	t.s.Helper()
	for deadline := time.Now().Add(within); !wanted(t.present); {
		if !time.Now().Before(deadline) {
			t.s.Fatalf("not within %v: %s; present: %s", within, what, t)
		}
		t.next(time.Until(deadline))
	}
}

// String shows what is present.
func (t *tail[R]) String() string {
	shown := make([]string, 0, len(t.present))
	for key, record := range t.present {
		shown = append(shown, fmt.Sprintf("%s: %+v", key, *record))
	}
	return "[" + strings.Join(shown, ", ") + "]"
}

// instances wraps a stream of instances.
func (d *direct) instances(stream driver.InstanceStream, err error) *tail[driver.Instance] {
	d.s.Helper()
	t := &tail[driver.Instance]{
		key:     func(i *driver.Instance) string { return i.Service.ID },
		version: func(*driver.Instance) uint64 { return 0 }, // there is one of an ID, whoever owns it
	}
	return t.open(d.s, stream, err)
}

// candidates wraps a stream that shows one candidate at a time.
func (d *direct) candidates(stream driver.CandidateStream, err error) *tail[driver.Candidate] {
	d.s.Helper()
	t := &tail[driver.Candidate]{
		key:     func(c *driver.Candidate) string { return c.Election },
		version: func(c *driver.Candidate) uint64 { return c.Token },
	}
	return t.open(d.s, stream, err)
}

func (d *direct) watchService(name string) *tail[driver.Instance] {
	d.s.Helper()
	return d.instances(d.OpenWatchService(d.s.ctx(), &driver.WatchServiceRequest{Name: name}))
}

func (d *direct) watchRegistration(name, id string) *tail[driver.Instance] {
	d.s.Helper()
	return d.instances(d.OpenWatchRegistration(d.s.ctx(), &driver.WatchRegistrationRequest{Name: name, ID: id}))
}

func (d *direct) watchLeader(election string) *tail[driver.Candidate] {
	d.s.Helper()
	return d.candidates(d.OpenWatchLeader(d.s.ctx(), &driver.WatchLeaderRequest{Election: election}))
}

func (d *direct) watchCandidacy(session driver.SessionID, election string) *tail[driver.Candidate] {
	d.s.Helper()
	return d.candidates(d.OpenWatchCandidacy(d.s.ctx(), &driver.WatchCandidacyRequest{Session: session, Election: election}))
}
